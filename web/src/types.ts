// What the local server and the page say to each other.

export interface Sync {
  state: "local" | "idle" | "syncing" | "offline" | "error";
  last_sync: string | null;
  pending: number;
  message: string | null;
}

export interface Account {
  name: string;
  server: string;
  custody: "e2e" | "uce";
  tier: "local_only" | "analytics_sync" | "full_sync" | null;
  logged_in?: boolean;
  display_name: string | null;
}

export interface AppState {
  profile: string;
  first_run: boolean;
  locked: boolean;
  can_lock: boolean;
  account: Account | null;
  sync: Sync;
  counts: { entries: number; conflicts: number; drafts: number; inbox: number };
  daily_goal: number | null;
  words_today: number;
  app_version: string;
  keys_in?: "keychain" | "password" | "file" | "elsewhere";
}

export interface Attachment {
  id: string;
  name: string;
  media_type: string;
  has_thumbnail: boolean;
  size?: number;
}

export interface Summary {
  id: string;
  title: string | null;
  excerpt: string;
  day: string;
  entry_date: string;
  time_zone: string | null;
  mood: string | null;
  tags: string[];
  words: number;
  source: string | null;
  attachments: Attachment[];
  conflict: boolean;
  deleted: boolean;
  version: string;
  marks: [number, number][];
}

export interface Entry extends Summary {
  body: string;
  metrics: Record<string, number>;
  weather: string | null;
  location: string | null;
  html: string;
  merged?: boolean;
}

/** What a person writes into an entry. */
export interface Fields {
  title: string;
  body: string;
  entry_date: string | null;
  time_zone: string | null;
  mood: string | null;
  tags: string[];
  metrics: Record<string, number>;
  weather: string | null;
  location: string | null;
}

export interface Filter {
  query?: string;
  tags?: string[];
  mood?: string;
  source?: string;
  since?: string;
  until?: string;
  deleted?: boolean;
}

export interface Found {
  entries: Summary[];
  next_cursor: string | null;
  total: number;
  words: string[];
}

export interface Draft {
  key: string;
  entry_id: string | null;
  title: string | null;
  saved_at: string;
  words: number;
}

export interface Tag {
  name: string;
  color: string;
  count: number;
}

export interface Revision {
  number: number | string;
  written_at: string;
  device: string | null;
  title: string | null;
  words: number;
  current?: boolean;
}

export interface RevisionText extends Revision {
  body: string;
  html: string;
}

export interface Numbers {
  streak: { current: number; longest: number };
  totals: { entries: number; words: number; days: number };
  words_by_month: [string, number][];
  moods_by_month: Record<string, Record<string, number>>;
  metrics: Record<string, [string, number][]>;
  source: "device" | "encrypted_sums";
}

export interface Conflict {
  id: string;
  entry_id: string;
  local: Partial<Fields> | null;
  remote: (Partial<Fields> & { version?: string }) | null;
  base: Partial<Fields> | null;
  version?: string;
  device?: string | null;
}

export interface Device {
  id: string;
  name: string | null;
  current: boolean;
  last_seen: string | null;
  created_at: string;
}

export interface Imported {
  added: number;
  present: number;
  updated: number;
  files: number;
  importer: string;
  dry_run: boolean;
  complete: boolean;
  remarks: { kind: string; place: string; reason: string; entry_id: string | null }[];
  more_remarks: number;
}

export interface InboxItem {
  id: string;
  provider: string;
  received_at: string;
  readable: boolean;
  title: string | null;
  body: string;
  html: string;
  link: string | null;
  files: number;
}

export interface InboxList {
  items: InboxItem[];
}

export interface TagList {
  tags: Tag[];
}

export interface TierChanged {
  tier: "local_only" | "analytics_sync" | "full_sync";
  deletes: Record<string, number | null>;
}
