import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get, post, told } from "../api";
import { longDay, timeOf } from "../dates";
import { back, replace } from "../router";
import { changed, say, state, touched } from "../state";
import type { Entry } from "../types";
import { Icon } from "../ui/icons";
import { TagName } from "../ui/TagName";
import { plural } from "../words";
import { Thumb } from "../write/Files";
import { filter, narrowTo } from "./Filters";
import { markWords, tickBoxes } from "./markWords";

// Who wrote here wants to know where it came from only if that was elsewhere.
const OWN = ["app", "cli", "sdk"];

/** One entry to be read. */
export function Reading({ id }: { id: string }) {
  const entry = useSignal<Entry | null>(null);
  const failure = useSignal("");
  const text = useRef<HTMLDivElement>(null);

  const fetchIt = () =>
    get<Entry>(`/entries/${id}`).then(
      (found) => {
        if (entry.peek()?.version !== found.version) entry.value = found;
      },
      (error) => (failure.value = told(error)),
    );
  useEffect(() => {
    fetchIt();
    return changed.subscribe(({ ids, count }) => {
      if (count && (!ids || ids.includes(id))) fetchIt();
    });
  }, []);
  useEffect(() => {
    if (!text.current) return;
    if (filter.peek().query) markWords(text.current, filter.peek().query!);
    tickBoxes(text.current);
  }, [entry.value]);

  const now = entry.value;
  if (failure.value) return <p class="trouble" role="alert">{failure.value}</p>;
  if (!now) return <div class="reading" aria-busy="true" />;

  const drop = async () => {
    try {
      await post(`/entries/${id}/delete`, { base: now.version });
      touched([id]);
      back();
      say("The entry is deleted. It can be restored for 30 days.", {
        label: "Restore",
        run: () =>
          post(`/entries/${id}/restore`).then(
            () => touched([id]),
            (error) => say(told(error)),
          ),
      });
    } catch (error) {
      say(told(error));
    }
  };
  const restore = () =>
    post(`/entries/${id}/restore`).then(
      () => touched([id]),
      (error) => say(told(error)),
    );

  const inText = (name: string) => now.body.includes(`attachment:${encodeURIComponent(name)}`);
  const others = now.attachments.filter((one) => !inText(one.name));
  const time = timeOf(now.entry_date);
  const facts = [now.location, now.weather].filter(Boolean);
  const numbers = Object.entries(now.metrics ?? {});
  return (
    <article class="reading">
      <div class="bar no-print">
        <button class="quiet icon-button" onClick={() => back()} aria-label="Back">
          <Icon name="back" />
        </button>
        <span class="grow" />
        <a class="quiet icon-button" href={`#/entry/${id}/history`} title="Earlier versions">
          <Icon name="history" />
          <span class="out-of-sight">Earlier versions</span>
        </a>
        <button class="quiet icon-button" onClick={() => print()} title="Print">
          <Icon name="print" />
          <span class="out-of-sight">Print</span>
        </button>
        {state.value?.account?.logged_in && !now.deleted ? (
          <a class="quiet icon-button" href={`#/entry/${id}/publish`} title="Publish">
            <Icon name="publish" />
            <span class="out-of-sight">Publish</span>
          </a>
        ) : null}
        {now.deleted ? (
          <button class="primary" onClick={restore}>
            Restore
          </button>
        ) : (
          <>
            <button class="quiet icon-button" onClick={drop} title="Delete">
              <Icon name="trash" />
              <span class="out-of-sight">Delete</span>
            </button>
            <button class="primary" onClick={() => replace(`write/${id}`)} title="e">
              Edit
            </button>
          </>
        )}
      </div>
      <header class="entry-head">
        <p class="meta">
          <time dateTime={now.entry_date}>
            {longDay(now.day)}
            {time ? `, ${time}` : ""}
          </time>
          {now.mood ? <bdi class="mood">{now.mood}</bdi> : null}
        </p>
        <h1 tabIndex={-1} dir="auto" class={now.title ? "" : "out-of-sight"}>
          {now.title || `Entry of ${longDay(now.day)}`}
        </h1>
        {now.conflict ? (
          <p class="hint">
            There are two versions of this entry. <a href="#/conflicts">Compare them</a>
          </p>
        ) : null}
        {now.deleted ? <p class="hint">This entry is deleted.</p> : null}
      </header>
      <div class="prose rendered" ref={text} dir="auto" dangerouslySetInnerHTML={{ __html: now.html }} />
      {others.length ? (
        <section class="files" aria-label="Attachments">
          {others.map((one) => (
            <figure key={one.id} class="file">
              <a href={`./api/entries/${id}/attachments/${one.id}`} target="_blank" rel="noopener">
                <Thumb entryId={id} attachment={one} alt={one.media_type.startsWith("image/") ? one.name : ""} />
                <figcaption>
                  <bdi>{one.name}</bdi>
                </figcaption>
              </a>
            </figure>
          ))}
        </section>
      ) : null}
      <footer class="entry-foot">
        <p class="meta">
          {now.tags.map((tag) => (
            <a
              key={tag}
              class="chip"
              href="#/search"
              onClick={() => narrowTo({ tags: [tag] })}
            >
              <TagName name={tag} />
            </a>
          ))}
        </p>
        <p class="meta">
          {facts.map((fact) => (
            <bdi key={fact}>{fact}</bdi>
          ))}
          {numbers.map(([name, value]) => (
            <span key={name}>
              {name.replaceAll("_", " ")} {value.toLocaleString()}
            </span>
          ))}
          <span>{plural(now.words, "word")}</span>
          {now.source && !OWN.includes(now.source) ? <span>from {now.source}</span> : null}
        </p>
      </footer>
    </article>
  );
}
