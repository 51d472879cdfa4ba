import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, post, told } from "../api";
import { instant } from "../dates";
import { back, go } from "../router";
import { say, touched } from "../state";
import type { RevisionList } from "../answers";
import type { Entry, Revision, RevisionText } from "../types";
import { Icon } from "../ui/icons";
import { useTurns } from "../turns";
import { plural } from "../words";
import { Difference } from "./Difference";

const written = (one: { title?: string | null; body: string }) => (one.title ? `${one.title}\n\n${one.body}` : one.body);

/** Earlier versions of an entry, what each changed, and the way back to it. */
export function History({ id }: { id: string }) {
  const revisions = useSignal<Revision[] | null>(null);
  const entry = useSignal<Entry | null>(null);
  const shown = useSignal<RevisionText | null>(null);
  const failure = useSignal("");
  useEffect(() => {
    Promise.all([get<RevisionList>(`/entries/${id}/history`), get<Entry>(`/entries/${id}`)]).then(
      ([found, now]) => {
        revisions.value = found.revisions;
        entry.value = now;
        const earlier = found.revisions.find((one) => !one.current) ?? found.revisions[0];
        if (earlier) show(earlier);
      },
      (error) => (failure.value = told(error)),
    );
  }, []);
  const inTurn = useTurns();
  const show = (one: Revision) =>
    inTurn(
      () => get<RevisionText>(`/entries/${id}/history/${one.number}`),
      (found) => (shown.value = { ...one, ...found }),
      (error) => say(told(error)),
    );
  const restore = async () => {
    try {
      await post(`/entries/${id}/restore`, { revision: shown.value!.number });
      touched([id]);
      go(`entry/${id}`);
      say("The earlier version is back. What it replaced stays in the history.");
    } catch (error) {
      say(told(error));
    }
  };
  return (
    <div class="history">
      <div class="bar">
        <button class="quiet icon-button" onClick={() => back(`entry/${id}`)} aria-label="Back">
          <Icon name="back" />
        </button>
        <h1 tabIndex={-1} class="small-title">Earlier versions</h1>
      </div>
      {failure.value ? <p class="trouble" role="alert">{failure.value}</p> : null}
      <div class="side-by-side history-columns">
        <ol class="revisions" aria-label="Versions">
          {revisions.value?.map((one) => (
            <li key={one.number}>
              <button class="revision" aria-pressed={shown.value?.number === one.number} onClick={() => show(one)}>
                <span>{instant(one.written_at)}</span>
                <span class="dim">
                  {one.current ? "Now · " : ""}
                  {one.device ? `${one.device} · ` : ""}
                  {one.words === null ? "" : plural(one.words, "word")}
                </span>
              </button>
            </li>
          ))}
        </ol>
        <section aria-label="The version compared with the entry as it is now">
          {shown.value && entry.value ? (
            <>
              <p class="legend dim">
                <del>struck out</del> is in this version only, <ins>underlined</ins> in the entry as it is now.
              </p>
              <Difference before={written(shown.value)} after={written(entry.value)} />
              {written(shown.value) !== written(entry.value) ? (
                <p>
                  <button onClick={restore}>Bring this version back</button>
                </p>
              ) : (
                <p class="dim">This is what the entry says now.</p>
              )}
            </>
          ) : revisions.value && !revisions.value.length ? (
            <p class="dim">There is no earlier version.</p>
          ) : null}
        </section>
      </div>
    </div>
  );
}
