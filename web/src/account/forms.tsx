import { useSignal } from "@preact/signals";
import type { ComponentChildren, InputHTMLAttributes } from "preact";
import { useId } from "preact/hooks";
import { told } from "../api";

export function Field({ label, hint, ...input }: { label: string; hint?: string; name: string; type?: string; autocomplete?: string; required?: boolean; value?: string; placeholder?: string; inputMode?: "numeric" | "text" }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} dir="auto" autocomplete="off" spellcheck={false} aria-describedby={hint ? `${id}-hint` : undefined} {...(input as InputHTMLAttributes<HTMLInputElement>)} />
      {hint ? (
        <p class="dim small" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

/** A form that says what went wrong, and can't be sent twice. */
export function Form({ send, label, children }: { send: (values: Record<string, string>) => Promise<unknown>; label: string; children: ComponentChildren }) {
  const busy = useSignal(false);
  const failure = useSignal("");
  return (
    <form
      class="form"
      autocomplete="off"
      onSubmit={async (event) => {
        event.preventDefault();
        if (busy.value) return;
        const form = event.currentTarget;
        busy.value = true;
        failure.value = "";
        try {
          await send(Object.fromEntries(new FormData(form)) as Record<string, string>);
        } catch (error) {
          failure.value = told(error);
        } finally {
          busy.value = false;
        }
      }}
    >
      {children}
      {failure.value ? (
        <p class="trouble" role="alert">
          {failure.value}
        </p>
      ) : null}
      <button class="primary" disabled={busy.value}>
        {busy.value ? "One moment …" : label}
      </button>
    </form>
  );
}
