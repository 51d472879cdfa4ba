import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { monthYear, timeOf, weekday } from "../dates";
import type { Summary } from "../types";
import { TagName } from "../ui/TagName";
import { Thumb } from "../write/Files";
import type { List, Row } from "./list";
import { Marked } from "./Marked";

const BEYOND = 900;

/** Only the rows near the window stand in the page; each has its place from the sum of the heights before it. */
export function Rows({ rows, list, top, onOpen }: { rows: Row[]; list: List; top: { current: number }; onOpen: (id: string) => void }) {
  const frame = useRef<HTMLDivElement>(null);
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const offsets = useMemo(() => {
    const sums = new Float64Array(rows.length + 1);
    rows.forEach((row, index) => (sums[index + 1] = sums[index]! + row.height));
    return sums;
  }, [rows]);
  const shown = useRef<[number, number]>([0, 24]);
  const total = offsets[rows.length] ?? 0;

  const at = (y: number) => {
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (offsets[middle + 1]! <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const measure = () => {
    const above = frame.current ? -frame.current.getBoundingClientRect().top : 0;
    const first = at(Math.max(0, above - BEYOND));
    const last = Math.min(rows.length, at(above + innerHeight + BEYOND) + 1);
    const [from, to] = shown.current;
    if (first !== from || last !== to) {
      shown.current = [first, last];
      draw(0);
    }
    if (rows[Math.min(last, rows.length) - 1]?.kind === "absent") list.more();
  };

  useLayoutEffect(() => {
    let asked = 0;
    const onScroll = () => {
      if (!asked) asked = requestAnimationFrame(() => ((asked = 0), measure()));
    };
    frame.current?.style.setProperty("height", `${total}px`);
    if (top.current) scrollTo(0, top.current);
    top.current = 0;
    measure();
    addEventListener("scroll", onScroll, { passive: true });
    addEventListener("resize", onScroll);
    return () => {
      removeEventListener("scroll", onScroll);
      removeEventListener("resize", onScroll);
      cancelAnimationFrame(asked);
    };
  }, [rows]);

  const move = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const down = event.key === "j" || event.key === "ArrowDown";
    if (!down && event.key !== "k" && event.key !== "ArrowUp") return;
    const links = [...(frame.current?.querySelectorAll<HTMLElement>(".entry-link") ?? [])];
    const now = links.indexOf(document.activeElement as HTMLElement);
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
    if (typing && event.key !== "ArrowDown") return;
    if (now < 0 && event.key === "ArrowUp") return;
    if (now < 0 && event.key === "ArrowDown" && !typing) return;
    const firstInSight = links.findIndex((one) => one.getBoundingClientRect().top >= 0);
    const next = now < 0 ? Math.max(0, firstInSight) : now + (down ? 1 : -1);
    if (!links[next]) return;
    event.preventDefault();
    links[next]!.focus({ preventScroll: true });
    links[next]!.scrollIntoView({ block: "nearest" });
  };
  useEffect(() => {
    addEventListener("keydown", move);
    return () => removeEventListener("keydown", move);
  }, []);

  const [from, to] = shown.current;
  return (
    <div class="rows" ref={frame}>
      {rows.slice(from, Math.min(to, rows.length)).map((row, index) => (
        <Placed key={row.key} top={offsets[from + index]!} height={row.height}>
          {row.kind === "month" ? <h2 class="month">{monthYear(row.day)}</h2> : row.kind === "entry" ? <EntryRow row={row} count={list.total} onOpen={onOpen} /> : <p class="dim absent">…</p>}
        </Placed>
      ))}
    </div>
  );
}

function Placed({ top, height, children }: { top: number; height: number; children: ComponentChildren }) {
  return (
    <div class="placed" style={{ transform: `translateY(${top}px)`, height: `${height}px` }}>
      {children}
    </div>
  );
}

function EntryRow({ row, count, onOpen }: { row: Row & { kind: "entry" }; count: number; onOpen: (id: string) => void }) {
  const { entry, index, sameDay } = row;
  return (
    <article class="entry-row" aria-posinset={index + 1} aria-setsize={count} onClick={(event) => !(event.target as HTMLElement).closest("a, button") && !String(getSelection()) && onOpen(entry.id)}>
      <Day entry={entry} quiet={sameDay} />
      <EntryText entry={entry} />
      <Picture entry={entry} />
    </article>
  );
}

export function Day({ entry, quiet }: { entry: Summary; quiet: boolean }) {
  return (
    <time class={`day ${quiet ? "quiet-day" : ""}`} dateTime={entry.day}>
      <span class="weekday">{weekday(entry.day)}</span>
      <span class="number">{Number(entry.day.slice(8))}</span>
    </time>
  );
}

export function EntryText({ entry }: { entry: Summary }) {
  const time = timeOf(entry.entry_date);
  const words = <Marked text={entry.excerpt} marks={entry.marks} />;
  // An entry without a title is called by its first words.
  return (
    <div class="entry-text">
      <h2 dir="auto" class={`entry-title ${entry.title || !entry.excerpt ? "" : "excerpt untitled"}`}>
        <a class="entry-link" href={`#/entry/${entry.id}`}>
          {entry.title || (entry.excerpt ? words : "Without words")}
        </a>
      </h2>
      {entry.title && entry.excerpt ? (
        <p class="excerpt" dir="auto">
          {words}
        </p>
      ) : null}
      <p class="meta">
        {time ? <span>{time}</span> : null}
        {entry.mood ? <bdi>{entry.mood}</bdi> : null}
        {entry.tags.map((tag) => (
          <TagName key={tag} name={tag} />
        ))}
        {entry.conflict ? <span class="warn">Two versions</span> : null}
      </p>
    </div>
  );
}

export function Picture({ entry }: { entry: Summary }) {
  const pictures = entry.attachments.filter((one) => one.has_thumbnail);
  if (!pictures.length) return null;
  return (
    <div class="row-picture">
      <Thumb entryId={entry.id} attachment={pictures[0]!} />
      {pictures.length > 1 ? <span class="how-many" aria-hidden="true">{pictures.length}</span> : null}
    </div>
  );
}
