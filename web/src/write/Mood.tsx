import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get } from "../api";
import type { Moods } from "../answers";

const faces: [string, string][] = [
  ["😀", "happy"],
  ["🙂", "good"],
  ["😌", "relaxed"],
  ["😐", "neutral"],
  ["😕", "uneasy"],
  ["😔", "sad"],
  ["😢", "in tears"],
  ["😠", "angry"],
  ["😰", "anxious"],
  ["😴", "tired"],
];

/** A face, a word that was used before, or any other. */
export function Mood({ mood, choose }: { mood: string | null; choose: (mood: string | null) => void }) {
  const used = useSignal<string[]>([]);
  const word = useSignal(mood ?? "");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    get<Moods>("/moods").then(
      (found) => (used.value = found.moods.map((one) => one.name).filter((name) => !faces.some(([face]) => face === name)).slice(0, 8)),
      () => {},
    );
  }, []);
  return (
    <div class="panel">
      <div class="faces" role="group" aria-label="Mood as a face">
        {faces.map(([face, name]) => (
          <button key={face} class="face" aria-pressed={mood === face} aria-label={name} title={name} onClick={() => choose(face)}>
            {face}
          </button>
        ))}
      </div>
      <div class="row">
        <label>
          In a word
          <input
            ref={field}
            type="text"
            dir="auto"
            autocomplete="off"
            value={word.value}
            onInput={(event) => (word.value = event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && !event.isComposing) choose(word.value.trim() || null);
            }}
            onBlur={(event) => {
              const within = event.currentTarget.closest(".panel")?.contains(event.relatedTarget as Node | null);
              if (!within && word.value.trim() !== (mood ?? "")) choose(word.value.trim() || null);
            }}
          />
        </label>
        {used.value.map((name) => (
          <button key={name} aria-pressed={mood === name} onClick={() => choose(name)}>
            <bdi>{name}</bdi>
          </button>
        ))}
        {mood ? (
          <button class="quiet" onClick={() => choose(null)}>
            None
          </button>
        ) : null}
      </div>
    </div>
  );
}
