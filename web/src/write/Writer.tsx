import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { told } from "../api";
import { openEditor, type Page } from "../editor/setup";
import { back, onLeave, replace } from "../router";
import { changed, say, state } from "../state";
import type { Attachment } from "../types";
import { Icon } from "../ui/icons";
import { plural, wordsIn } from "../words";
import { Files } from "./Files";
import { Details } from "./Details";
import { Writing } from "./saving";

/** The page on which an entry is written. */
export function Writer({ id, draft, day }: { id?: string; draft?: string; day?: string }) {
  const [writing, setWriting] = useState<Writing | null>(null);
  const failure = useSignal("");
  useEffect(() => {
    if (id) Writing.entry(id).then(setWriting, (error) => (failure.value = told(error)));
    else if (draft) Writing.draft(draft).then(setWriting, (error) => (failure.value = told(error)));
    else setWriting(Writing.blank(day ? { entry_date: day, time_zone: null } : {}));
  }, []);
  if (failure.value) return <p class="trouble" role="alert">{failure.value}</p>;
  return writing ? <Sheet writing={writing} isNew={!id} /> : <div class="writer" aria-busy="true" />;
}

const pictured = (id: string | null, attachments: Attachment[]) =>
  new Map(
    attachments
      .filter((one) => one.media_type.startsWith("image/"))
      .map((one) => [one.name, `./api/entries/${id}/attachments/${one.id}${one.has_thumbnail ? "/thumbnail" : ""}`]),
  );

const escaped = (name: string) => encodeURIComponent(name).replace(/[()]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);

/** How a text speaks of one of its files. */
const mention = (name: string, picture: boolean) => `${picture ? "![]" : `[${name.replace(/[[\]\\]/g, "\\$&")}]`}(attachment:${escaped(name)})`;

const prompts = ["What stays of today?", "Begin anywhere.", "What did you notice?", "How was it, really?"];

function Sheet({ writing, isNew }: { writing: Writing; isNew: boolean }) {
  const fields = useSignal({ ...writing.fields });
  const words = useSignal(wordsIn(writing.fields.body));
  const focusing = useSignal(document.documentElement.classList.contains("focusing"));
  const uploading = useSignal(0);
  const place = useRef<HTMLDivElement>(null);
  const title = useRef<HTMLTextAreaElement>(null);
  const page = useRef<Page | null>(null);
  const counting = useRef(0);
  const gone = useRef(false);

  const change = (part: Partial<typeof fields.value>) => {
    if (!("body" in part)) fields.value = { ...fields.value, ...part };
    writing.change(part);
  };

  const done = async () => {
    if (!(await writing.save())) return;
    if (writing.state.value.kind === "conflict" || gone.current) return;
    if (writing.entryId) replace(`entry/${writing.entryId}`);
    else back();
  };

  const attach = async (files: File[], at = page.current!.placeOf()) => {
    const text = page.current!;
    const given = files.map((file) => ({ file, place: text.keepPlace(file.name || "picture", at) }));
    uploading.value += given.length;
    for (const { file, place } of given) {
      try {
        const sent = await writing.attach(file);
        await text.arrive(place, mention(sent.name, sent.shown), sent.shown);
        // Who left before it arrived finds it in the text as well.
        if (gone.current) await writing.complete(text.view.state.doc.toString());
      } catch (error) {
        text.giveUp(place);
        say(told(error));
      } finally {
        uploading.value -= 1;
      }
    }
  };

  useEffect(() => {
    const editor = openEditor({
      parent: place.current!,
      body: writing.fields.body,
      label: "Text",
      hint: isNew ? prompts[new Date().getDate() % prompts.length]! : "",
      onChange(body) {
        writing.change({ body });
        clearTimeout(counting.current);
        counting.current = window.setTimeout(() => (words.value = wordsIn(body)), 120);
      },
      onDone: done,
      onFiles: attach,
      onUp: () => title.current?.focus(),
    });
    page.current = editor;
    if (isNew || !matchMedia("(pointer: coarse)").matches) editor.view.focus();
    writing.onText = (fresh) => {
      fields.value = { ...fresh };
      editor.replace(fresh.body);
      words.value = wordsIn(fresh.body);
    };
    const stopPictures = writing.attachments.subscribe((all) => editor.pictures(pictured(writing.entryId, all)));
    const stopLooking = changed.subscribe(({ ids }) => {
      if (!ids || (writing.entryId && ids.includes(writing.entryId))) writing.look();
    });
    const hide = () => document.visibilityState === "hidden" && writing.hidden();
    const leave = () => writing.hidden();
    document.addEventListener("visibilitychange", hide);
    addEventListener("pagehide", leave);
    const stopLeaving = onLeave(() => {
      writing.save();
    });
    return () => {
      gone.current = true;
      stopLeaving();
      stopPictures();
      stopLooking();
      document.removeEventListener("visibilitychange", hide);
      removeEventListener("pagehide", leave);
      writing.save();
      editor.destroy();
      document.documentElement.classList.remove("focusing");
    };
  }, []);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key === ".") {
        event.preventDefault();
        focus();
      } else if (event.key === "Escape" && focusing.value) focus();
      else if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) done();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  const focus = () => {
    focusing.value = !focusing.value;
    document.documentElement.classList.toggle("focusing", focusing.value);
    page.current?.typewriter(focusing.value);
    page.current?.view.focus();
    if (focusing.value) say("Only the page. Esc brings everything back.");
  };

  useEffect(() => {
    if (CSS.supports("field-sizing", "content")) return;
    const area = title.current!;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }, [fields.value.title]);

  const goal = state.value?.daily_goal ?? null;
  const before = useRef({ today: state.value?.words_today ?? 0, here: words.value });
  const today = useComputed(() => before.current.today + words.value - before.current.here);

  return (
    <article
      class="writer"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        if (event.defaultPrevented) return;
        event.preventDefault();
        attach([...(event.dataTransfer?.files ?? [])], page.current?.placeOf(event));
      }}
    >
      <h1 class="out-of-sight">{isNew ? "New entry" : "Edit entry"}</h1>
      <div class="bar">
        <button class="quiet icon-button" onClick={done} aria-label="Back to the journal">
          <Icon name="back" />
        </button>
        <SavingState writing={writing} />
        <span class="grow" />
        <label class="quiet icon-button" title="Add pictures or files">
          <Icon name="image" />
          <span class="out-of-sight">Add pictures or files</span>
          <input
            type="file"
            multiple
            class="out-of-sight"
            onChange={(event) => {
              const input = event.currentTarget;
              attach([...(input.files ?? [])]);
              input.value = "";
            }}
          />
        </label>
        <button class="quiet icon-button" onClick={focus} aria-pressed={focusing.value} title="Only the page (Ctrl .)">
          <Icon name="focus" />
          <span class="out-of-sight">Only the page</span>
        </button>
        <button class="primary" onClick={done} title="Ctrl Enter">
          Done
        </button>
      </div>

      <div class="sheet" onClick={(event) => event.target === event.currentTarget && page.current?.view.focus()}>
        <textarea
          ref={title}
          class="title"
          rows={1}
          dir="auto"
          placeholder="Title"
          aria-label="Title"
          autocomplete="off"
          value={fields.value.title}
          onInput={(event) => change({ title: event.currentTarget.value.replace(/\n/g, " ") })}
          onKeyDown={(event) => {
            if ((event.key === "Enter" || event.key === "ArrowDown") && !event.isComposing) {
              event.preventDefault();
              page.current?.view.focus();
            }
          }}
        />
        <Details fields={fields.value} change={change} />
        <div class="text prose" ref={place} />
        <Files writing={writing} uploading={uploading.value} />
      </div>

      <div class="foot" aria-hidden={focusing.value}>
        <span>{plural(words.value, "word")}</span>
        {goal ? <Goal done={Math.max(0, today.value)} goal={goal} /> : null}
      </div>
    </article>
  );
}

function Goal({ done, goal }: { done: number; goal: number }) {
  return (
    <span class="goal">
      <progress max={goal} value={Math.min(done, goal)} aria-label="Words of today's goal" />
      {done >= goal ? "Today’s goal is reached" : `${done.toLocaleString()} of ${goal.toLocaleString()} today`}
    </span>
  );
}

function SavingState({ writing }: { writing: Writing }) {
  const now = writing.state.value;
  if (now.kind === "conflict") {
    return (
      <span class="saving told" role="alert">
        Also changed elsewhere; both versions are kept.{" "}
        <button class="link" onClick={() => replace(now.id ? `conflicts/${now.id}` : "conflicts")}>
          Compare
        </button>
      </span>
    );
  }
  if (now.kind === "away") {
    return (
      <span class="saving told" role="alert">
        Not saved yet. {now.text} Your text stays here.
      </span>
    );
  }
  if (now.kind === "refused") return <span class="saving told" role="alert">Not saved. {now.text}</span>;
  const said = { clean: "", writing: "", kept: "Draft kept", saved: "Saved", merged: "Merged with changes from elsewhere" }[now.kind];
  return (
    <span class="saving" role="status">
      {said}
    </span>
  );
}
