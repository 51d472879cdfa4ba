import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { longDay } from "../dates";
import { go } from "../router";
import { changed, state } from "../state";
import type { Filter } from "../types";
import { plural } from "../words";
import { List, rowsOf } from "./list";
import { Filters, filter as chosen, queryIsEmpty } from "./Filters";
import { Rows } from "./Rows";

// Where one was in the journal, for the way back from an entry.
const places = new Map<string, { top: number; list: List }>();

/** The journal by day: all of it, one day, or what a search found. */
export function Timeline({ day, searching = false }: { day?: string; searching?: boolean }) {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const spot = day ?? (searching ? "search" : "all");
  const list = useRef<List | null>(null);
  const restored = useRef(false);
  const wanted: Filter = day ? { since: day, until: day } : searching ? chosen.value : {};
  const idle = searching && queryIsEmpty(wanted);
  const key = JSON.stringify(wanted);
  const version = useSignal(changed.peek().count);

  useEffect(
    () =>
      changed.subscribe(({ count }) => {
        if (count !== version.value) {
          places.clear();
          version.value = count;
        }
      }),
    [],
  );

  const fetched = useRef("");
  useEffect(() => {
    const again = `${key} ${version.value}`;
    if (fetched.current === again) return;
    const before = places.get(spot);
    if (!restored.current && before && JSON.stringify(before.list.filter) === key) {
      list.current = before.list;
      fetched.current = again;
      draw(0);
      requestAnimationFrame(() => scrollTo(0, before.top));
    } else {
      const fresh = new List(wanted, () => {
        // The old list stays until the new one has something to show, so that nothing flickers.
        list.current = fresh;
        draw(0);
        if (!fresh.whole && fresh.entries.length <= 12_000 && !searching) {
          const rest = () => fresh.more(4);
          (window.requestIdleCallback ?? setTimeout)(rest);
        }
      });
      fetched.current = again;
      const running = list.current;
      if (!idle) fresh.more().then(() => running !== fresh && running?.stop());
      if (idle) {
        list.current = null;
        draw(0);
      }
    }
    restored.current = true;
  }, [key, version.value, idle]);

  useEffect(() => {
    const note = () => list.current && places.set(spot, { top: scrollY, list: list.current });
    addEventListener("scroll", note, { passive: true });
    return () => removeEventListener("scroll", note);
  }, [spot]);

  const now = list.current;
  const rows = useMemo(() => (now ? rowsOf(now, !day) : []), [now, now?.entries.length, now?.total, day, innerWidth < 640]);
  const name = day ? longDay(day) : searching ? "Search" : "Journal";

  return (
    <div class={`timeline ${searching ? "searching" : ""}`}>
      <header class="head">
        <h1 tabIndex={-1} class={searching ? "out-of-sight" : ""}>{name}</h1>
        {searching ? <Filters /> : <p class="dim">{now?.loaded ? plural(now.total, "entry", "entries") : " "}</p>}
        {day ? (
          <a class="button" href={`#/write/day/${day}`}>
            Write for this day
          </a>
        ) : null}
      </header>
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
      {now ? <Rows rows={rows} list={now} onOpen={(id) => go(`entry/${id}`)} /> : null}
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
