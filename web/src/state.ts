import { computed, signal } from "@preact/signals";
import { admitted, get, locked, reachable } from "./api";
import type { Tags } from "./answers";
import type { AppState, Sync, Tag } from "./types";

export const state = signal<AppState | null>(null);
export const tags = signal<Tag[]>([]);

/** Counts up whenever entries changed, here, in another tab or on another device; `ids` are the last ones, null for all. */
export const changed = signal<{ count: number; ids: string[] | null }>({ count: 0, ids: null });

/** A file that was dropped on the page to be imported. */
export const archive = signal<File | null>(null);

/** One quiet sentence at the foot of the page, gone after a while. */
export const notice = signal<{ text: string; action?: { label: string; run: () => void } } | null>(null);

let clearing = 0;
export function say(text: string, action?: { label: string; run: () => void }) {
  notice.value = action ? { text, action } : { text };
  clearTimeout(clearing);
  clearing = window.setTimeout(() => (notice.value = null), action ? 9000 : 5000);
}

export async function refresh() {
  const fresh = await get<AppState>("/state");
  locked.value = fresh.locked;
  state.value = fresh;
  if (!fresh.locked && !fresh.first_run) refreshTags();
  return fresh;
}

let counting = 0;
/** Have the tags counted anew once what one waits for is there: all entries are looked at for it. */
export function refreshTags() {
  clearTimeout(counting);
  counting = window.setTimeout(
    () =>
      get<Tags>("/tags").then(
        (found) => (tags.value = found.tags),
        () => {},
      ),
    400,
  );
}

const colors = computed(() => new Map(tags.value.map((tag) => [tag.name.toLocaleLowerCase(), tag.color])));
export const colorOf = (name: string) => colors.value.get(name.toLocaleLowerCase()) ?? "#75716a";

/** Tell this tab that entries changed; the others hear it from the server. */
export function touched(ids: string[] | null) {
  changed.value = { count: changed.value.count + 1, ids };
  refreshTags();
}

let source: EventSource | null = null;
export function listen() {
  source?.close();
  source = new EventSource("./api/events");
  let lost = false;
  source.addEventListener("state", (event) => {
    const fresh = JSON.parse(event.data) as AppState;
    state.value = fresh;
    locked.value = fresh.locked;
  });
  source.addEventListener("entries", (event) => {
    const told = JSON.parse(event.data) as { ids?: string[]; all?: boolean };
    touched(told.all ? null : (told.ids ?? null));
  });
  // What waits and when it was sent last, an attempt does not say; the state after it does.
  source.addEventListener("sync", (event) => {
    const { state: how, message, code } = JSON.parse(event.data) as Sync;
    const now = state.value;
    if (now) state.value = { ...now, sync: { ...now.sync, state: how, message, code } };
  });
  source.addEventListener("locked", () => (locked.value = true));
  source.onopen = () => {
    reachable.value = true;
    if (lost) {
      lost = false;
      refresh().then(() => touched(null), () => {});
    }
  };
  source.onerror = () => {
    lost = true;
    if (!admitted.value) source?.close();
    else get("/state").catch(() => {});
  };
}
