import { signal } from "@preact/signals";
import { Problem, call, get, post, put, remove, told } from "../api";
import { stamped, zone } from "../dates";
import { touched } from "../state";
import type { Attached, DraftList, DraftView } from "../answers";
import type { Attachment, Entry, Fields } from "../types";

const DRAFT_AFTER = 350;
const DRAFT_AT_LATEST = 1500;
const ENTRY_AFTER = 8000;
const TRY_AGAIN = 2000;

export type Saving =
  | { kind: "clean" }
  | { kind: "writing" }
  | { kind: "kept" }
  | { kind: "saved" }
  | { kind: "merged" }
  | { kind: "away"; text: string }
  | { kind: "refused"; text: string }
  | { kind: "conflict"; id: string };

export const emptyFields = (): Fields => ({
  title: "",
  body: "",
  entry_date: null,
  time_zone: null,
  mood: null,
  tags: [],
  metrics: {},
  weather: null,
  location: null,
});

export const fieldsOf = (entry: Partial<Fields>): Fields => ({
  title: entry.title ?? "",
  body: entry.body ?? "",
  entry_date: entry.entry_date ?? null,
  time_zone: entry.time_zone ?? null,
  mood: entry.mood ?? null,
  tags: [...(entry.tags ?? [])],
  metrics: { ...entry.metrics },
  weather: entry.weather ?? null,
  location: entry.location ?? null,
});

const freshKey = () => crypto.getRandomValues(new Uint32Array(1))[0]!.toString(16).padStart(8, "0");

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function changes(from: Fields, to: Fields): Partial<Fields> {
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(to) as (keyof Fields)[]) if (!same(from[name], to[name])) found[name] = to[name];
  return found as Partial<Fields>;
}

/**
 * What is being written, and how far it is safe. Each pause in typing keeps a draft, sealed, on this machine; the entry
 * itself is written when one stops or leaves, on the version that its writer saw. Nothing here makes typing wait.
 */
export class Writing {
  readonly state = signal<Saving>({ kind: "clean" });
  readonly attachments = signal<Attachment[]>([]);
  /** Called with text that came from elsewhere and shall be shown. */
  onText: (fields: Fields) => void = () => {};

  private key = freshKey();
  private readonly newId = crypto.randomUUID();
  private base: string | null = null;
  private last: Fields;
  private drafted: Fields | null = null;
  private draftTimer = 0;
  private draftDue = 0;
  private entryTimer = 0;
  private busy: Promise<unknown> = Promise.resolve();
  private over = false;

  private constructor(
    public entryId: string | null,
    public fields: Fields,
  ) {
    this.last = fieldsOf(fields);
  }

  static blank(fields: Partial<Fields> = {}) {
    const writing = new Writing(null, fieldsOf({ entry_date: stamped(new Date()), time_zone: zone(), ...fields }));
    return writing;
  }

  static async entry(id: string) {
    const entry = await get<Entry>(`/entries/${id}`);
    const writing = new Writing(id, fieldsOf(entry as unknown as Partial<Fields>));
    writing.base = entry.version;
    writing.attachments.value = entry.attachments;
    // Text that a crash left behind is newer than the entry, and follows the version that its writer saw.
    const { drafts } = await get<DraftList>("/drafts");
    const left = drafts.find((draft) => draft.entry_id === id);
    if (left) await writing.takeUp(left.key);
    return writing;
  }

  static async draft(key: string) {
    const left = await get<DraftView>(`/drafts/${key}`);
    if (left.entry_id) return Writing.entry(left.entry_id);
    const writing = Writing.blank();
    await writing.takeUp(key);
    return writing;
  }

  private async takeUp(key: string) {
    const left = await get<{ base: string | null; fields: Partial<Fields> }>(`/drafts/${key}`);
    this.key = key;
    this.fields = fieldsOf({ ...this.fields, ...left.fields });
    this.drafted = fieldsOf(this.fields);
    if (left.base) this.base = left.base;
    this.state.value = { kind: "kept" };
  }

  get empty() {
    const { title, body, mood, tags, metrics, weather, location } = this.fields;
    return !title.trim() && !body.trim() && !mood && !tags.length && !Object.keys(metrics).length && !weather && !location;
  }

  private get dirty() {
    return !same(this.last, this.fields);
  }

  change(part: Partial<Fields>) {
    Object.assign(this.fields, part);
    if (this.state.value.kind !== "away") this.state.value = { kind: "writing" };
    const now = performance.now();
    if (!this.draftTimer) this.draftDue = now + DRAFT_AT_LATEST;
    clearTimeout(this.draftTimer);
    this.draftTimer = window.setTimeout(() => this.keepDraft(), Math.max(0, Math.min(DRAFT_AFTER, this.draftDue - now)));
    clearTimeout(this.entryTimer);
    this.entryTimer = window.setTimeout(() => this.save(), ENTRY_AFTER);
  }

  private async keepDraft(keepalive = false) {
    this.draftTimer = 0;
    if (this.over || !this.dirty || same(this.drafted, this.fields)) return;
    const fields = fieldsOf(this.fields);
    try {
      await call("PUT", `/drafts/${this.key}`, { body: { entry_id: this.entryId, base: this.base, fields }, keepalive });
      this.drafted = fields;
      if (!this.draftTimer && !this.over) this.state.value = { kind: "kept" };
    } catch (error) {
      this.failed(error);
      if (this.state.value.kind === "away" && !this.draftTimer) this.draftTimer = window.setTimeout(() => this.keepDraft(), TRY_AGAIN);
    }
  }

  private failed(error: unknown) {
    const away = error instanceof Problem && (error.status === 0 || error.status === 401 || error.status === 423);
    this.state.value = { kind: away ? "away" : "refused", text: told(error) };
  }

  /** Write the entry itself. Returns whether all that was written is in it. */
  save(keep = false): Promise<boolean> {
    clearTimeout(this.entryTimer);
    return this.inTurn(() => this.write(keep));
  }

  /** Change the entry once what was begun before is done: each step follows the version that the last one made. */
  private inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.busy.then(step);
    this.busy = done.catch(() => {});
    return done;
  }

  private async write(keep: boolean): Promise<boolean> {
    if (this.over) return true;
    if (!this.entryId && this.empty && !keep) {
      if (this.drafted) await remove(`/drafts/${this.key}`).catch(() => {});
      this.drafted = null;
      return true;
    }
    if (!this.dirty && (this.entryId || !keep)) return true;
    clearTimeout(this.draftTimer);
    this.draftTimer = 0;
    const sent = fieldsOf(this.fields);
    try {
      const answer = this.entryId
        ? await put<Entry>(`/entries/${this.entryId}`, { draft: this.key, base: this.base, ...changes(this.last, sent) })
        : await post<Entry>("/entries", { draft: this.key, id: this.newId, ...sent });
      this.written(answer, sent);
      return true;
    } catch (error) {
      if (error instanceof Problem && error.code === "edit_conflict") {
        this.over = true;
        this.state.value = { kind: "conflict", id: String(error.facts.conflict_id ?? "") };
        remove(`/drafts/${this.key}`).catch(() => {});
        return true;
      }
      this.failed(error);
      // What was refused would be refused again; who does not answer may do so soon.
      if (this.state.value.kind === "away") this.entryTimer = window.setTimeout(() => this.save(), TRY_AGAIN);
      return false;
    }
  }

  private written(answer: Entry, sent: Fields) {
    const edited = this.entryId !== null;
    this.entryId = answer.id;
    this.attachments.value = answer.attachments;
    const theirs = fieldsOf(answer as unknown as Partial<Fields>);
    const further = !same(sent, this.fields);
    if (answer.merged && further && !same(theirs, sent)) {
      // Typed on meanwhile: the next edit still follows the version that this text was made from.
      this.state.value = { kind: "writing" };
      touched([answer.id]);
      return;
    }
    this.base = answer.version;
    this.last = sent;
    this.drafted = null;
    if (further) {
      if (!edited) this.key = freshKey();
      this.change({});
    } else if (answer.merged && !same(theirs, sent)) {
      this.last = theirs;
      this.fields = fieldsOf(theirs);
      this.onText(this.fields);
      this.state.value = { kind: "merged" };
    } else {
      this.state.value = { kind: "saved" };
    }
    touched([answer.id]);
  }

  /** Look whether another tab or device changed the entry while nothing was written here. */
  async look() {
    if (!this.entryId || this.dirty || this.over) return;
    const entry = await get<Entry>(`/entries/${this.entryId}`).catch(() => null);
    if (!entry || this.dirty || entry.version === this.base) return;
    this.base = entry.version;
    this.attachments.value = entry.attachments;
    this.fields = fieldsOf(entry as unknown as Partial<Fields>);
    this.last = fieldsOf(this.fields);
    this.onText(this.fields);
  }

  /** The window goes out of sight, perhaps for good. */
  hidden() {
    if (!this.dirty || this.over) return;
    this.keepDraft(true);
    this.save();
  }

  /** Write a text that was finished after its writer left. */
  async complete(body: string) {
    if (this.over || body === this.fields.body) return;
    this.change({ body });
    await this.save();
  }

  async attach(file: File): Promise<Attachment> {
    await this.save(true);
    return this.inTurn(async () => {
      const sent = await call<Attachment & { version?: string }>("POST", `/entries/${this.entryId}/attachments`, {
        raw: file,
        headers: { "X-File-Name": encodeURIComponent(file.name || "picture.png") },
      });
      if (sent.version) this.base = sent.version;
      this.attachments.value = [...this.attachments.value, sent];
      return sent;
    });
  }

  async detach(attachment: Attachment) {
    await this.save(true);
    await this.inTurn(async () => {
      const answer = await remove<Attached>(`/entries/${this.entryId}/attachments/${attachment.id}`);
      if (answer.version) this.base = answer.version;
      this.attachments.value = this.attachments.value.filter((one) => one.id !== attachment.id);
    });
  }
}
