// Made by generate_types.py of `lockleaf app --openapi`: `make page` writes it anew.

export interface AccountState {
  name: string;
  server: string;
  custody: "e2e" | "uce";
  device_name: string;
  logged_in: boolean;
  deleted: boolean;
}

export interface AddApp {
  password: string;
  factor?: string | null;
  name?: string;
}

export interface AddedApp {
  secret: string;
  svg: string;
}

export interface Attached {
  id: string;
  name: string;
  media_type: string;
  size: number;
  has_thumbnail: boolean;
  shown: boolean;
  entry_id: string;
  version: string | null;
}

export interface AttachmentOf {
  id: string;
  name: string;
  media_type: string;
  size: number;
  has_thumbnail: boolean;
  shown: boolean;
}

export interface Based {
  base?: string | null;
}

export interface BeginConnection {
  network: "mastodon" | "facebook";
  instance?: string | null;
}

export interface BegunConnection {
  address: string;
  host: string;
  expires_at: string;
}

export interface Calendar {
  days: Record<string, CalendarDay>;
  years: number[];
}

export interface CalendarDay {
  entries: number;
  words: number;
  mood: string | null;
}

export interface ChangePassword {
  password: string;
  new_password: string;
  allow_weak_password?: boolean;
  factor?: string | null;
}

export interface Changes {
  title?: string | null;
  mood?: string | null;
  weather?: string | null;
  location?: string | null;
  time_zone?: string | null;
  base?: string | null;
  draft?: string | null;
  body?: string | null;
  entry_date?: string | null;
  tags?: string[] | null;
  metrics?: Record<string, number | null> | null;
}

export interface Codes {
  recovery_codes: string[];
}

export interface ConfirmApp {
  code: string;
}

export interface ConflictList {
  conflicts: ConflictView[];
}

export interface ConflictView {
  id: string;
  entry_id: string;
  local: EntryView | null;
  remote: EntryView | null;
  device: string;
  own: boolean;
  detected_at: string;
  authentic: boolean;
  differences: [string, string][];
}

export interface ConnectionView {
  id: string;
  network: string;
  name: string;
  connected: boolean;
  trouble: string | null;
  pages: NetworkPage[];
  visibilities: string[];
  connected_at: string;
  pulled_at: string | null;
  paused_until: string | null;
  unknown: number;
}

export interface Connections {
  connections: ConnectionView[];
}

export interface Counts {
  entries: number;
  conflicts: number;
  drafts: number;
  inbox: number;
}

export interface Devices {
  devices: SignedIn[];
}

export interface DraftBody {
  entry_id?: string | null;
  base?: string | null;
  fields: DraftFields;
}

export interface DraftFields {
  body?: string;
  title?: string | null;
  entry_date?: string | null;
  time_zone?: string | null;
  mood?: string | null;
  weather?: string | null;
  location?: string | null;
  tags?: string[] | null;
  metrics?: Record<string, number | null> | null;
}

export interface DraftList {
  drafts: DraftSummary[];
}

export interface DraftSummary {
  key: string;
  entry_id: string | null;
  title: string | null;
  excerpt: string;
  saved_at: string;
  words: number;
}

export interface DraftView {
  key: string;
  entry_id: string | null;
  base: string | null;
  fields: DraftFields;
  saved_at: string;
}

export interface EncryptedSums {
  state: "shown" | "no_account" | "off" | "not_installed" | "tier" | "failed";
  message: string | null;
  pending: number;
  metrics: Summed[];
}

export interface EntryView {
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
  attachments: AttachmentOf[];
  conflict: boolean;
  deleted: boolean;
  pending: boolean;
  version: string | null;
  marks: [number, number][];
  body: string;
  html: string;
  metrics: Record<string, number>;
  weather: string | null;
  location: string | null;
  created_at: string;
  updated_at: string;
  foreign: boolean;
  merged: boolean;
}

export interface Export {
  query?: string;
  tags?: string[];
  mood?: string | null;
  source?: string | null;
  since?: string | null;
  until?: string | null;
  format?: "markdown" | "json" | "html" | "dayone";
  revisions?: boolean;
}

export interface FactorCodes {
  codes: string[];
}

export interface FactorView {
  id: string;
  kind: "totp" | "passkey";
  name: string | null;
  created_at: string;
  last_used_at: string | null;
}

export interface Factors {
  factors: FactorView[];
  codes_left: number;
  wrong_codes: number;
}

export interface Find {
  query?: string;
  tags?: string[];
  mood?: string | null;
  source?: string | null;
  since?: string | null;
  until?: string | null;
  deleted?: boolean;
  cursor?: string | null;
  limit?: number;
}

export interface FinishConnection {
  code: string;
}

export interface FoundEntries {
  entries: Summary[];
  next_cursor: string | null;
  total: number;
  words: string[];
  ignored: string[];
}

export interface Holdings {
  holds_journal: boolean;
  entries: number;
  files: number;
  conflicts: number;
  inbox: number;
  lost: number;
  complete: boolean;
}

export interface ImportRemark {
  kind: string;
  place: string;
  reason: string;
  entry_id: string | null;
}

export interface Imported {
  added: number;
  present: number;
  updated: number;
  files: number;
  importer: string;
  dry_run: boolean;
  complete: boolean;
  remarks: ImportRemark[];
  more_remarks: number;
}

export interface Inbox {
  items: InboxItem[];
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

export interface KeepSums {
  on: boolean;
}

export interface Keys {
  sealed_again: boolean;
  files_unfinished: boolean;
}

export interface LinkCode {
  code: string;
  svg: string;
}

export interface Login {
  server: string;
  name: string;
  password: string;
  custody?: "e2e" | "uce" | null;
  factor?: string | null;
}

export interface LoginByLink {
  code: string;
  name: string;
  password: string;
  factor?: string | null;
}

export interface Mood {
  name: string;
  count: number;
}

export interface Moods {
  moods: Mood[];
  sources: string[];
}

export interface NetworkPage {
  id: string;
  name: string;
}

export interface Numbers {
  streak: Streak;
  totals: Totals;
  words_by_month: [string, number][];
  moods_by_month: Record<string, Record<string, number>>;
  metrics: Record<string, [string, number][]>;
}

export interface OnThisDay {
  entries: Summary[];
}

export interface OutgoingPicture {
  id: string;
  name: string;
  size: number;
  taken: boolean;
}

export interface Password {
  password: string;
  factor?: string | null;
}

export interface PreparePublication {
  pictures?: string[];
  with_metadata?: boolean;
}

export interface PreparedPublication {
  version: string;
  text: string;
  pictures: OutgoingPicture[];
  others: string[];
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  hint: string | null;
}

export interface Publish {
  pictures?: string[];
  with_metadata?: boolean;
  connection_id: string;
  version: string;
  page?: string | null;
  visibility?: string | null;
}

export interface Published {
  status: "published" | "unknown";
  url: string | null;
}

export interface PulledPosts {
  added: number;
  complete: boolean;
}

export interface Recolor {
  name: string;
  color: string;
}

export interface Recover {
  server: string;
  name: string;
  code: string;
  new_password: string;
  custody?: "e2e" | "uce" | null;
  allow_weak_password?: boolean;
  factor?: string | null;
}

export interface Register {
  server: string;
  name: string;
  password: string;
  display_name?: string | null;
  custody?: "e2e" | "uce";
  tier?: "local_only" | "analytics_sync" | "full_sync";
  invitation?: string | null;
  allow_weak_password?: boolean;
}

export interface Render {
  body: string;
  entry_id?: string | null;
}

export interface Rendered {
  html: string;
}

export interface Resolve {
  choice: "local" | "remote" | "merged";
  base?: string | null;
  body?: string | null;
  title?: string | null;
}

export interface Restore {
  base?: string | null;
  revision?: string | null;
}

export interface RevisionList {
  revisions: RevisionSummary[];
  complete: boolean;
}

export interface RevisionSummary {
  number: string;
  event: string;
  written_at: string;
  device: string;
  title: string | null;
  words: number | null;
  verified: boolean;
  current: boolean;
}

export interface RevisionView {
  number: string;
  written_at: string;
  title: string | null;
  body: string;
  html: string;
  mood: string | null;
  tags: string[];
  differences: [string, string][];
}

export interface Rotate {
  password: string;
  factor?: string | null;
  new_password?: string | null;
  files?: boolean;
  allow_weak_password?: boolean;
}

export interface Saved {
  key: string;
  saved_at: string;
}

export interface SealedFiles {
  sealed: number;
  left: number;
  missing: number;
}

export interface SeenEntry {
  id: string;
  day: string;
  here: SeenText;
  mood: string | null;
  tags: string[];
  pending: boolean;
  revision: number;
  seq: number;
  size: number;
  beginning: string;
  created_at: string;
  updated_at: string;
  device: string | null;
  labels: SeenLabel[];
  source: string | null;
  occurred_at: string | null;
  verified: boolean;
  opened: SeenText | null;
}

export interface SeenFact {
  what: string;
  value: string | number | null;
  unit: "text" | "count" | "bytes" | "time";
}

export interface SeenFacts {
  title: string;
  facts: SeenFact[];
}

export interface SeenLabel {
  digest: string;
  kind: string | null;
  value: string | null;
}

export interface SeenText {
  title: string | null;
  excerpt: string;
}

export interface ServerSees {
  state: "shown" | "no_account" | "logged_out" | "deleted";
  server: string;
  custody: "e2e" | "uce" | null;
  tier: "local_only" | "analytics_sync" | "full_sync" | null;
  entries: SeenEntry[];
  groups: SeenFacts[];
  visibility: Sighting[];
}

export interface Settings {
  daily_goal?: number | null;
}

export interface Side {
  count: number;
  average: number;
  error: number;
}

export interface Sighting {
  what: string;
  seen: "always" | "in_use" | "never" | "here";
  how: string;
}

export interface SignedIn {
  id: string;
  name: string | null;
  current: boolean;
  created_at: string;
  last_seen: string;
}

export interface State {
  profile: string;
  first_run: boolean;
  locked: boolean;
  can_lock: boolean;
  keys_in: "keychain" | "password" | "file" | "elsewhere" | null;
  account: AccountState | null;
  sync: SyncState;
  counts: Counts;
  daily_goal: number | null;
  words_today: number;
  app_version: string;
}

export interface Streak {
  current: number;
  longest: number;
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
  attachments: AttachmentOf[];
  conflict: boolean;
  deleted: boolean;
  pending: boolean;
  version: string | null;
  marks: [number, number][];
}

export interface Summed {
  name: string;
  server: Side | null;
  device: Side | null;
}

export interface SyncState {
  state: "local" | "idle" | "syncing" | "offline" | "error";
  last_sync: string | null;
  pending: number;
  message: string | null;
  code: string | null;
}

export interface Tag {
  name: string;
  color: string;
  count: number;
}

export interface Tags {
  tags: Tag[];
}

export interface TierChange {
  tier: "local_only" | "analytics_sync" | "full_sync";
  dry_run?: boolean;
  password?: string | null;
  factor?: string | null;
}

export interface TierChanged {
  tier: "local_only" | "analytics_sync" | "full_sync";
  deletes: Record<string, number | null>;
  lost: number;
}

export interface Totals {
  entries: number;
  words: number;
  days: number;
}

export interface Unlock {
  password?: string;
}

export interface Write {
  title?: string | null;
  mood?: string | null;
  weather?: string | null;
  location?: string | null;
  time_zone?: string | null;
  id?: string | null;
  draft?: string | null;
  body: string;
  entry_date?: string | null;
  tags?: string[];
  metrics?: Record<string, number>;
}
