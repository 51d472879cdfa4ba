import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, told } from "../api";
import { longDay, monthName, today } from "../dates";
import { go } from "../router";
import { changed } from "../state";
import { useTurns } from "../turns";
import { plural } from "../words";

interface YearOf {
  days: Record<string, { entries: number; words: number; mood: string | null }>;
  years: number[];
}

const firstWeekday = (() => {
  const locale = new Intl.Locale(navigator.language) as Intl.Locale & { getWeekInfo?: () => { firstDay: number }; weekInfo?: { firstDay: number } };
  return (locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay ?? 1;
})() % 7;
const weekdays = [...Array(7).keys()].map((index) =>
  new Intl.DateTimeFormat(undefined, { weekday: "narrow" }).format(new Date(2023, 0, 1 + ((index + firstWeekday) % 7), 12)),
);
const two = (n: number) => String(n).padStart(2, "0");
const depth = (words: number) => (words > 600 ? 4 : words > 300 ? 3 : words > 120 ? 2 : 1);

/** A year at a glance: the more was written on a day, the deeper its colour. */
export function Calendar({ year }: { year: number }) {
  const found = useSignal<YearOf | null>(null);
  const failure = useSignal("");
  const count = changed.value.count;
  const inTurn = useTurns();
  useEffect(() => {
    inTurn(
      () => get<YearOf>(`/calendar/${year}`),
      (one) => (found.value = one),
      (error) => (failure.value = told(error)),
    );
  }, [year, count]);
  const days = found.value?.days ?? {};
  const written = Object.values(days);
  const years = [...new Set([...(found.value?.years ?? []), year, new Date().getFullYear()])].sort((a, b) => b - a);

  // Arrow keys walk over the days, as in any calendar.
  const move = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
    const step = steps[event.key];
    const from = (event.target as HTMLElement).dataset.day;
    if (!step || !from) return;
    event.preventDefault();
    const date = new Date(`${from}T12:00:00`);
    date.setDate(date.getDate() + step);
    const target = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    document.querySelector<HTMLElement>(`[data-day="${target}"]`)?.focus();
  };

  return (
    <div class="calendar">
      <header class="head">
        <h1 tabIndex={-1}>{year}</h1>
        <p class="dim" role="status">
          {found.value ? `${plural(written.length, "day")}, ${plural(written.reduce((sum, day) => sum + day.words, 0), "word")}` : " "}
        </p>
      </header>
      <nav class="years" aria-label="Years">
        {years.map((one) => (
          <a key={one} href={`#/calendar/${one}`} aria-current={one === year ? "page" : undefined}>
            {one}
          </a>
        ))}
      </nav>
      {failure.value ? <p class="trouble" role="alert">{failure.value}</p> : null}
      <div class="months" onKeyDown={move}>
        {[...Array(12).keys()].map((month) => (
          <Month key={month} year={year} month={month} days={days} />
        ))}
      </div>
      <p class="scale dim" aria-hidden="true">
        less {[0, 1, 2, 3, 4].map((one) => <span key={one} class={`cell depth-${one}`} />)} more
      </p>
    </div>
  );
}

function Month({ year, month, days }: { year: number; month: number; days: YearOf["days"] }) {
  const first = new Date(year, month, 1, 12);
  const length = new Date(year, month + 1, 0).getDate();
  const lead = (first.getDay() - firstWeekday + 7) % 7;
  const name = monthName(`${year}-${two(month + 1)}-01`);
  const now = today();
  return (
    <section class="month-block" aria-label={name}>
      <h2>{name}</h2>
      <div class="grid">
        {weekdays.map((day, index) => (
          <span key={`w${index}`} class="weekday-name" aria-hidden="true">
            {day}
          </span>
        ))}
        {[...Array(lead).keys()].map((index) => (
          <span key={`l${index}`} />
        ))}
        {[...Array(length).keys()].map((index) => {
          const day = `${year}-${two(month + 1)}-${two(index + 1)}`;
          const there = days[day];
          if (!there && day > now) {
            return (
              <span key={day} class="cell to-come">
                {index + 1}
              </span>
            );
          }
          const said = `${longDay(day)}: ${there ? `${plural(there.entries, "entry", "entries")}, ${plural(there.words, "word")}` : "nothing written"}${there?.mood ? `, ${there.mood}` : ""}`;
          return (
            <button
              key={day}
              class={`cell depth-${there ? depth(there.words) : 0} ${day === now ? "is-today" : ""}`}
              data-day={day}
              title={said}
              aria-label={said}
              onClick={() => go(there ? `day/${day}` : `write/day/${day}`)}
            >
              {index + 1}
            </button>
          );
        })}
      </div>
    </section>
  );
}
