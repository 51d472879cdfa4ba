import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get, post, told } from "../api";
import { openEditor, type Page } from "../editor/setup";
import { Difference } from "../read/Difference";
import { back, go, replace } from "../router";
import { refresh, say, touched } from "../state";
import type { ConflictList } from "../answers";
import type { Conflict, Entry } from "../types";
import { Icon } from "../ui/icons";

const text = (version: Entry | null) => (version ? (version.title ? `${version.title}\n\n${version.body ?? ""}` : (version.body ?? "")) : "");

/** Two versions of an entry beside each other, and a page on which they become one. */
export function Conflicts({ id }: { id?: string }) {
  const conflicts = useSignal<Conflict[] | null>(null);
  const failure = useSignal("");
  const fetchThem = () =>
    get<ConflictList>("/conflicts").then(
      (found) => (conflicts.value = found.conflicts),
      (error) => (failure.value = told(error)),
    );
  useEffect(() => {
    fetchThem();
  }, []);
  const all = conflicts.value;
  const now = all?.find((one) => one.id === id) ?? all?.[0];
  return (
    <div class="conflicts wide">
      <div class="bar">
        <button class="quiet icon-button" onClick={() => back()} aria-label="Back">
          <Icon name="back" />
        </button>
        <h1 tabIndex={-1} class="small-title">Two versions</h1>
        <span class="grow" />
        {all && all.length > 1
          ? all.map((one, index) => (
              <button key={one.id} class="quiet" aria-pressed={one === now} onClick={() => replace(`conflicts/${one.id}`)}>
                {index + 1}
              </button>
            ))
          : null}
      </div>
      {failure.value ? <p class="trouble" role="alert">{failure.value}</p> : null}
      {all && !all.length ? <p class="nothing">Everything agrees. There is nothing to choose.</p> : null}
      {now ? (
        <Choice
          key={now.id}
          conflict={now}
          done={(entry) => {
            refresh();
            touched([now.entry_id]);
            say("Settled. The other version stays in the history.");
            if (all!.length > 1) fetchThem();
            else go(`entry/${entry}`);
          }}
        />
      ) : null}
    </div>
  );
}

function Choice({ conflict, done }: { conflict: Conflict; done: (entry: string) => void }) {
  const merging = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  const page = useRef<Page | null>(null);
  const failure = useSignal("");
  const settle = async (choice: "local" | "remote" | "merged") => {
    failure.value = "";
    try {
      const version = conflict.remote?.version ?? (await get<Entry>(`/entries/${conflict.entry_id}`)).version;
      const merged = choice === "merged" ? { body: page.current!.view.state.doc.toString() } : {};
      await post(`/conflicts/${conflict.id}`, { choice, base: version, ...merged });
      done(conflict.entry_id);
    } catch (error) {
      failure.value = told(error);
    }
  };
  useEffect(() => {
    if (!merging.value) return;
    page.current = openEditor({
      parent: place.current!,
      body: together(conflict),
      label: "The merged text",
      hint: "",
      onChange() {},
      onDone: () => settle("merged"),
      onFiles() {},
      onUp() {},
    });
    page.current.view.focus();
    return () => page.current?.destroy();
  }, [merging.value]);
  const { local, remote } = conflict;
  return (
    <>
      <p class="dim">
        This entry was changed in two places before they could agree. Choose one, or make one of both. Nothing is lost: the other version stays in the history.
      </p>
      <div class="side-by-side">
        <section class="version" aria-labelledby="local-title">
          <h2 id="local-title">{conflict.device ? `From ${conflict.device}` : "Written here"}</h2>
          {local ? <Difference before={text(remote)} after={text(local)} /> : <p class="nothing">Deleted</p>}
          <button onClick={() => settle("local")}>Keep this one</button>
        </section>
        <section class="version" aria-labelledby="remote-title">
          <h2 id="remote-title">As the entry stands</h2>
          {remote ? <Difference before={text(local)} after={text(remote)} /> : <p class="nothing">Deleted</p>}
          <button onClick={() => settle("remote")}>Keep this one</button>
        </section>
      </div>
      {failure.value ? <p class="trouble" role="alert">{failure.value}</p> : null}
      {merging.value ? (
        <section class="merging" aria-label="Make one of both">
          <div class="text prose" ref={place} />
          <p class="row">
            <button class="primary" onClick={() => settle("merged")}>
              Keep the merged text
            </button>
            <button class="quiet" onClick={() => (merging.value = false)}>
              Not now
            </button>
          </p>
        </section>
      ) : local && remote ? (
        <button class="primary" onClick={() => (merging.value = true)}>
          Make one of both
        </button>
      ) : null}
    </>
  );
}

/** Both texts by paragraphs: what they share once, what differs one below the other. */
function together({ local, remote }: Conflict) {
  const mine = (local?.body ?? "").split(/\n{2,}/);
  const theirs = (remote?.body ?? "").split(/\n{2,}/);
  const result: string[] = [];
  let at = 0;
  for (const paragraph of theirs) {
    const same = mine.indexOf(paragraph, at);
    if (same >= 0) {
      result.push(...mine.slice(at, same));
      at = same + 1;
    }
    result.push(paragraph);
  }
  result.push(...mine.slice(at));
  return result.join("\n\n");
}
