import { computed, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get } from "../api";
import { shortDay } from "../dates";
import { tags } from "../state";
import type { Moods } from "../answers";
import type { Filter } from "../types";
import { Icon } from "../ui/icons";
import { TagName } from "../ui/TagName";

/** What is searched for. It stays in this page's memory, and in no address. */
export const filter = signal<Filter>({});
export const queryIsEmpty = (one: Filter) => !one.query?.trim() && !one.tags?.length && !one.mood && !one.source && !one.since && !one.until;

const sources = signal<string[]>([]);
const active = computed(() => {
  const { tags: chosen, mood, source, since, until } = filter.value;
  return Boolean(chosen?.length || mood || source || since || until);
});

function change(part: Filter) {
  const next: Record<string, unknown> = { ...filter.value, ...part };
  for (const [name, value] of Object.entries(next)) if (!value || (Array.isArray(value) && !value.length)) delete next[name];
  filter.value = next as Filter;
}

/** The line that one types a search in, and what narrows it. */
export function Filters() {
  const moods = useSignal<string[]>([]);
  const open = useSignal(active.peek());
  const field = useRef<HTMLInputElement>(null);
  const text = useSignal(filter.peek().query ?? "");
  const timer = useRef(0);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
    get<Moods>("/moods").then(
      (found) => {
        moods.value = found.moods.map((one) => one.name);
        sources.value = found.sources;
      },
      () => {},
    );
    return () => clearTimeout(timer.current);
  }, []);
  const now = filter.value;
  return (
    <div class="filters" role="search">
      <div class="search-line">
        <Icon name="search" />
        <input
          ref={field}
          class="search-field"
          type="search"
          dir="auto"
          autocomplete="off"
          spellcheck={false}
          aria-label="Search the journal"
          placeholder="Search"
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            clearTimeout(timer.current);
            timer.current = window.setTimeout(() => change({ query: text.value }), 15);
          }}
        />
        <button class="quiet icon-button" aria-expanded={open.value} onClick={() => (open.value = !open.value)} title="Narrow by tag, mood and time">
          <Icon name="details" />
          <span class="out-of-sight">Narrow by tag, mood and time</span>
        </button>
      </div>
      {open.value ? (
        <div class="panel">
          <div class="row">
            <label>
              From
              <input type="date" autocomplete="off" value={now.since ?? ""} onChange={(event) => change({ since: event.currentTarget.value })} />
            </label>
            <label>
              To
              <input type="date" autocomplete="off" value={now.until ?? ""} onChange={(event) => change({ until: event.currentTarget.value })} />
            </label>
            <label>
              Mood
              <select autocomplete="off" value={now.mood ?? ""} onChange={(event) => change({ mood: event.currentTarget.value })}>
                <option value="">any</option>
                {moods.value.map((mood) => (
                  <option key={mood} value={mood}>
                    {mood}
                  </option>
                ))}
              </select>
            </label>
            {sources.value.length ? (
              <label>
                Came from
                <select autocomplete="off" value={now.source ?? ""} onChange={(event) => change({ source: event.currentTarget.value })}>
                  <option value="">anywhere</option>
                  {sources.value.map((source) => (
                    <option key={source} value={source}>
                      {source}
                    </option>
                  ))}
                </select>
              </label>
            ) : null}
          </div>
          <div class="tag-choice" role="group" aria-label="Tags">
            {tags.value.map((tag) => {
              const on = now.tags?.includes(tag.name) ?? false;
              return (
                <button key={tag.name} class="chip" aria-pressed={on} onClick={() => change({ tags: on ? now.tags!.filter((one) => one !== tag.name) : [...(now.tags ?? []), tag.name] })}>
                  <TagName name={tag.name} color={tag.color} /> <span class="dim">{tag.count}</span>
                </button>
              );
            })}
          </div>
        </div>
      ) : active.value ? (
        <p class="narrowed dim">
          {[now.tags?.join(", "), now.mood, now.source && `from ${now.source}`, now.since && `from ${shortDay(now.since)}`, now.until && `to ${shortDay(now.until)}`].filter(Boolean).join(" · ")}{" "}
          <button class="link" onClick={() => change({ tags: [], mood: "", source: "", since: "", until: "" })}>
            Clear
          </button>
        </p>
      ) : null}
    </div>
  );
}

/** Look for a tag from elsewhere in the page. */
export function narrowTo(part: Filter) {
  filter.value = part;
}
