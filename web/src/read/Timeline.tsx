import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { longDay } from "../dates";
import { cameBack, go, onLeave } from "../router";
import { changed, state } from "../state";
import type { Filter } from "../types";
import { Export } from "../exchange/Export";
import { Icon } from "../ui/icons";
import { plural } from "../words";
import { List, rowsOf } from "./list";
import { Filters, filter as chosen, queryIsEmpty } from "./Filters";
import { Rows } from "./Rows";

// Where one was in the journal, for the way back from an entry.
const places = new Map<string, { top: number; list: List; version: number }>();

/** The journal by day: all of it, one day, or what a search found. */
export function Timeline({ day, searching = false }: { day?: string; searching?: boolean }) {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const spot = day ?? (searching ? "search" : "all");
  const list = useRef<List | null>(null);
  const exporting = useSignal(false);
  const restored = useRef(false);
  const top = useRef(0);
  const wanted: Filter = day ? { since: day, until: day } : searching ? chosen.value : {};
  const idle = searching && queryIsEmpty(wanted);
  const key = JSON.stringify(wanted);
  const version = useSignal(changed.peek().count);

  useEffect(() => changed.subscribe(({ count }) => (version.value = count)), []);

  const fetched = useRef("");
  useEffect(() => {
    const again = `${key} ${version.value}`;
    if (fetched.current === again) return;
    fetched.current = again;
    const before = restored.current || !cameBack ? undefined : places.get(spot);
    restored.current = true;
    if (before && JSON.stringify(before.list.filter) === key) {
      list.current = before.list;
      top.current = before.top;
      draw(0);
      if (before.version === version.value) return;
    }
    if (idle) {
      list.current = null;
      draw(0);
      return;
    }
    const old = list.current;
    const further = old && JSON.stringify(old.filter) === key ? old.entries.length : 0;
    const fresh = new List(wanted, () => {
      if (fetched.current !== again) return;
      const rest = () => fresh.more(4);
      if (fresh.entries.length < Math.min(further, fresh.total)) {
        // The old list stays until the new one reaches as far, so that nothing flickers or jumps.
        queueMicrotask(rest);
        return;
      }
      list.current = fresh;
      draw(0);
      if (!fresh.whole && fresh.entries.length <= 12_000 && !searching) (window.requestIdleCallback ?? setTimeout)(rest);
    });
    fresh.more().then(() => old?.stop());
  }, [key, version.value, idle]);

  useEffect(
    () =>
      onLeave(() => {
        if (list.current) places.set(spot, { top: scrollY, list: list.current, version: version.peek() });
      }),
    [spot],
  );

  const now = list.current;
  const rows = useMemo(() => (now ? rowsOf(now, !day) : []), [now, now?.entries.length, now?.total, day, innerWidth < 640]);
  const name = day ? longDay(day) : searching ? "Search" : "Journal";

  return (
    <div class={`timeline ${searching ? "searching" : ""}`}>
      <header class="head">
        <h1 tabIndex={-1} class={searching ? "out-of-sight" : ""}>{name}</h1>
        {searching ? <Filters /> : <p class="dim">{now?.loaded ? plural(now.total, "entry", "entries") : " "}</p>}
        {now?.total ? (
          <button class="quiet icon-button" aria-expanded={exporting.value} onClick={() => (exporting.value = !exporting.value)} title="Export these entries">
            <Icon name="save" />
            <span class="out-of-sight">Export these entries</span>
          </button>
        ) : null}
        {day ? (
          <a class="button" href={`#/write/day/${day}`}>
            Write for this day
          </a>
        ) : null}
      </header>
      {exporting.value ? <Export filter={wanted} done={() => (exporting.value = false)} /> : null}
      {!day && !searching ? <Drafts /> : null}
      {now?.failed ? <p class="trouble" role="alert">{now.failed}</p> : null}
      {searching ? (
        <p class="found dim" role="status">
          {idle ? "Words, phrases in “quotes”, -without, tag:walks, mood:calm." : now?.loaded ? plural(now.total, "entry", "entries") : ""}
        </p>
      ) : null}
      {now?.loaded && !now.total && !now.failed ? (
        <p class="nothing">{searching ? "Nothing was found. Fewer words find more." : day ? "Nothing was written on this day." : "The first page is yours."}</p>
      ) : null}
      {now ? <Rows rows={rows} list={now} top={top} onOpen={(id) => go(`entry/${id}`)} /> : null}
    </div>
  );
}

function Drafts() {
  const count = state.value?.counts.drafts ?? 0;
  return count ? (
    <p class="hint">
      <a href="#/account/drafts">{count === 1 ? "One draft was not finished" : `${count} drafts were not finished`}</a>
    </p>
  ) : null;
}
