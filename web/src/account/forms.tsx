import { useSignal } from "@preact/signals";
import type { ComponentChildren, InputHTMLAttributes } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Problem, told } from "../api";

const ASKED = new Set(["second_factor_required", "invalid_factor"]);

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

/** The password, and the code of the second factor once the server asked for one. */
export const proof = ({ password, factor }: Record<string, string>) => ({ ...(password ? { password } : {}), ...(factor ? { factor: factor.trim() } : {}) });

/** A form that says what went wrong, can't be sent twice, and asks for a second factor where the server does. */
export function Form({ send, label, children }: { send: (values: Record<string, string>) => Promise<unknown>; label: string; children: ComponentChildren }) {
  const id = useId();
  const busy = useSignal(false);
  const failure = useSignal("");
  const factor = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (factor.value) field.current?.focus();
  }, [factor.value]);
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
          const asked = error instanceof Problem && ASKED.has(error.code);
          failure.value = asked && !factor.value ? "" : told(error);
          if (asked) {
            factor.value = true;
            field.current?.select();
          }
        } finally {
          busy.value = false;
        }
      }}
    >
      {children}
      {factor.value ? (
        <div class="field">
          <label for={id}>Code of the second factor</label>
          <input ref={field} id={id} name="factor" autocomplete="one-time-code" inputMode="text" spellcheck={false} required aria-describedby={`${id}-hint`} />
          <p class="dim small" id={`${id}-hint`}>
            The six digits that your app shows now, or one of your factor codes.
          </p>
        </div>
      ) : null}
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
