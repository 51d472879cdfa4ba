import { Problem, post } from "../api";
import type { Filter, Found, Summary } from "../types";

const PAGE = 100;
/** Of what a search found, about two windows at a time: the next key asks again. */
const FOUND = 30;

/** The entries of a filter, fetched page by page, with the number of all from the start. */
export class List {
  entries: Summary[] = [];
  total = 0;
  words: string[] = [];
  loaded = false;
  failed = "";
  private cursor: string | null = null;
  private abort = new AbortController();
  private loading = false;

  constructor(
    readonly filter: Filter,
    private readonly onChange: () => void,
  ) {}

  get whole() {
    return this.loaded && this.cursor === null;
  }

  async more(pages = 1): Promise<void> {
    if (this.loading || this.whole) return;
    this.loading = true;
    try {
      for (let page = 0; page < pages && !this.whole && !this.abort.signal.aborted; page += 1) {
        const body = { ...this.filter, limit: this.filter.query?.trim() ? FOUND : PAGE, ...(this.cursor ? { cursor: this.cursor } : {}) };
        const found = await post<Found>("/entries/find", body, this.abort.signal);
        this.entries = this.entries.concat(found.entries);
        this.total = Math.max(found.total, this.entries.length);
        this.words = found.words;
        this.cursor = found.next_cursor;
        this.loaded = true;
        this.failed = "";
        this.onChange();
      }
    } catch (error) {
      if ((error as Error).name === "AbortError") return;
      this.failed = error instanceof Problem ? error.detail : "The list could not be fetched.";
      this.loaded = true;
      this.onChange();
    } finally {
      this.loading = false;
    }
  }

  stop() {
    this.abort.abort();
  }
}

export type Row =
  | { kind: "month"; key: string; day: string; height: number }
  | { kind: "entry"; key: string; entry: Summary; index: number; sameDay: boolean; height: number }
  | { kind: "absent"; key: string; height: number };

const narrow = () => innerWidth < 640;

/** Rows of known heights, so that ten years scroll as one page. */
export function rowsOf(list: List, byMonth: boolean): Row[] {
  const rows: Row[] = [];
  const small = narrow();
  let month = "";
  let day = "";
  list.entries.forEach((entry, index) => {
    const own = entry.day.slice(0, 7);
    if (byMonth && own !== month) {
      month = own;
      rows.push({ kind: "month", key: `m${own}`, day: entry.day, height: rows.length ? 84 : 48 });
    }
    const pictured = entry.attachments.some((one) => one.has_thumbnail);
    const lean = !entry.excerpt && !pictured;
    const height = lean ? 84 : pictured && !small ? 150 : entry.title ? 126 : pictured ? 112 : 102;
    rows.push({ kind: "entry", key: entry.id, entry, index, sameDay: entry.day === day, height });
    day = entry.day;
  });
  const missing = list.total - list.entries.length;
  if (missing > 0) rows.push({ kind: "absent", key: "absent", height: missing * 132 });
  return rows;
}
