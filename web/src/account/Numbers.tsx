import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, told } from "../api";
import { monthName, monthYear, shortDay } from "../dates";
import { changed } from "../state";
import type { Numbers as Found } from "../types";
import { plural } from "../words";
import { Bars, Line } from "./plots";
import { Sums } from "./Sums";

/** How much, how often, how it was. */
export function Numbers() {
  const found = useSignal<Found | null>(null);
  const failure = useSignal("");
  const count = changed.value.count;
  useEffect(() => {
    get<Found>("/numbers").then(
      (one) => (found.value = one),
      (error) => (failure.value = told(error)),
    );
  }, [count]);
  const now = found.value;
  if (!now) {
    return (
      <div class="numbers" aria-busy={!failure.value}>
        <header class="head">
          <h1 tabIndex={-1}>Numbers</h1>
        </header>
        {failure.value ? <p class="trouble" role="alert">{failure.value}</p> : null}
      </div>
    );
  }
  const months = now.words_by_month.slice(-24);
  const moods = new Map<string, number>();
  for (const [month] of now.words_by_month.slice(-12)) {
    for (const [mood, times] of Object.entries(now.moods_by_month[month] ?? {})) moods.set(mood, (moods.get(mood) ?? 0) + times);
  }
  const top = [...moods].sort((a, b) => b[1] - a[1]).slice(0, 8);
  return (
    <div class="numbers">
      <header class="head">
        <h1 tabIndex={-1}>Numbers</h1>
      </header>
      <dl class="figures">
        <div>
          <dt>days in a row</dt>
          <dd>{now.streak.current.toLocaleString()}</dd>
        </div>
        <div>
          <dt>longest</dt>
          <dd>{now.streak.longest.toLocaleString()}</dd>
        </div>
        <div>
          <dt>{now.totals.entries === 1 ? "entry" : "entries"}</dt>
          <dd>{now.totals.entries.toLocaleString()}</dd>
        </div>
        <div>
          <dt>words</dt>
          <dd>{now.totals.words.toLocaleString()}</dd>
        </div>
      </dl>
      {months.length ? (
        <figure class="plot">
          <figcaption>Words a month</figcaption>
          <Bars bars={months.map(([month, words]) => ({ label: monthName(`${month}-01`), long: monthYear(`${month}-01`), value: words, said: plural(words, "word") }))} />
        </figure>
      ) : null}
      {top.length ? (
        <figure class="plot">
          <figcaption>Moods of twelve months</figcaption>
          <ul class="mood-bars">
            {top.map(([mood, times]) => (
              <li key={mood}>
                <bdi>{mood}</bdi>
                <meter min={0} max={top[0]![1]} value={times} aria-label={mood} />
                <span class="dim">{times}</span>
              </li>
            ))}
          </ul>
        </figure>
      ) : null}
      {Object.entries(now.metrics)
        .filter(([, points]) => points.length > 1)
        .map(([name, points]) => (
          <figure class="plot" key={name}>
            <figcaption>{name.replaceAll("_", " ")}</figcaption>
            <Line points={points.slice(-120)} name={name} day={shortDay} />
          </figure>
        ))}
      <p class="dim small">Counted on this machine from your entries. Nothing of it was sent anywhere.</p>
      <Sums />
    </div>
  );
}
