import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, told } from "../api";
import { dayMonth, today } from "../dates";
import { changed } from "../state";
import type { OnThisDay as Anniversaries } from "../answers";
import type { Summary } from "../types";
import { EntryText, Picture } from "./Rows";

/** What was written on this day in other years. */
export function OnThisDay() {
  const now = today();
  const entries = useSignal<Summary[] | null>(null);
  const failure = useSignal("");
  const count = changed.value.count;
  useEffect(() => {
    get<Anniversaries>(`/on-this-day/${now.slice(5)}`).then(
      (found) => (entries.value = found.entries),
      (error) => (failure.value = told(error)),
    );
  }, [count]);
  const earlier = (entries.value ?? []).filter((one) => one.day !== now);
  const years = [...new Set(earlier.map((one) => one.day.slice(0, 4)))];
  const ago = (year: string) => {
    const away = Number(now.slice(0, 4)) - Number(year);
    return away === 1 ? "a year ago" : `${away} years ago`;
  };
  return (
    <div class="on-this-day">
      <header class="head">
        <h1 tabIndex={-1}>{dayMonth(now)}</h1>
        <p class="dim">in other years</p>
      </header>
      {failure.value ? <p class="trouble" role="alert">{failure.value}</p> : null}
      {entries.value && !earlier.length ? <p class="nothing">Nothing yet. What you write today will stand here in a year.</p> : null}
      {years.map((year) => (
        <section key={year}>
          <h2 class="month">
            {year} <span class="dim">{ago(year)}</span>
          </h2>
          {earlier
            .filter((one) => one.day.startsWith(year))
            .map((entry) => (
              <article class="entry-row flowing" key={entry.id}>
                <EntryText entry={entry} />
                <Picture entry={entry} />
              </article>
            ))}
        </section>
      ))}
    </div>
  );
}
