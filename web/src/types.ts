// What the local server and the page say to each other, by the names that the page has for it.

import type { Find, Write } from "./answers";

export type {
  AccountState as Account,
  AttachmentOf as Attachment,
  ConflictView as Conflict,
  DraftSummary as Draft,
  EntryView as Entry,
  FoundEntries as Found,
  Imported,
  Inbox as InboxList,
  InboxItem,
  Numbers,
  RevisionSummary as Revision,
  RevisionView as RevisionText,
  SignedIn as Device,
  State as AppState,
  Summary,
  SyncState as Sync,
  Tag,
  Tags as TagList,
  TierChanged,
} from "./answers";

/** What a person writes into an entry: every field has a value while it is written. */
export type Fields = { [Name in "title" | "body"]: string } & Required<Omit<Write, "title" | "body" | "entry_date" | "id" | "draft">> & { entry_date: string | null };

/** What narrows a list. */
export type Filter = { [Name in "query" | "mood" | "source" | "since" | "until"]?: string } & Pick<Find, "tags" | "deleted">;
