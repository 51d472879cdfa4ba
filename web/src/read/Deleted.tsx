import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { post, told } from "../api";
import { shortDay } from "../dates";
import { back } from "../router";
import { changed, say, touched } from "../state";
import type { Found, Summary } from "../types";
import { Icon } from "../ui/icons";
import { EntryText } from "./Rows";

/** Deleted entries, until they are gone for good. */
export function Deleted() {
  const entries = useSignal<Summary[] | null>(null);
  const count = changed.value.count;
  useEffect(() => {
    post<Found>("/entries/find", { deleted: true, limit: 100 }).then(
      (found) => (entries.value = found.entries),
      (error) => say(told(error)),
    );
  }, [count]);
  return (
    <div class="deleted">
      <div class="bar">
        <button class="quiet icon-button" onClick={() => back("account")} aria-label="Back">
          <Icon name="back" />
        </button>
        <h1 tabIndex={-1} class="small-title">Deleted entries</h1>
      </div>
      <p class="dim">They stay for 30 days and are then gone for good.</p>
      {entries.value && !entries.value.length ? <p class="nothing">There are none.</p> : null}
      {entries.value?.map((entry) => (
        <article class="entry-row flowing" key={entry.id}>
          <div class="grow">
            <p class="dim small">{shortDay(entry.day)}</p>
            <EntryText entry={entry} />
          </div>
          <button
            onClick={() =>
              post(`/entries/${entry.id}/restore`).then(
                () => touched([entry.id]),
                (error) => say(told(error)),
              )
            }
          >
            Restore
          </button>
        </article>
      ))}
    </div>
  );
}
