import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { locked, post, told } from "../api";
import { refresh, state, touched } from "../state";

/** Keys are dropped; the password brings them back. */
export function Lock() {
  const password = useSignal("");
  const failure = useSignal("");
  const busy = useSignal(false);
  // Where the system keeps the key, opening needs nothing but the will to.
  const needed = state.value?.can_lock ?? true;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const open = async (event: Event) => {
    event.preventDefault();
    if ((needed && !password.value) || busy.value) return;
    busy.value = true;
    failure.value = "";
    try {
      await post("/unlock", needed ? { password: password.value } : {});
      password.value = "";
      locked.value = false;
      await refresh();
      touched(null);
    } catch (error) {
      failure.value = told(error);
      field.current?.select();
    } finally {
      busy.value = false;
    }
  };
  return (
    <main class="door">
      <img src="./leaf.svg" alt="" width="56" height="56" />
      <h1>Your journal is locked</h1>
      <form onSubmit={open} autocomplete="off">
        <label hidden={!needed}>
          Password
          <input ref={field} type="password" autocomplete="current-password" aria-invalid={Boolean(failure.value)} aria-describedby="unlock-failure" value={password.value} onInput={(event) => (password.value = event.currentTarget.value)} />
        </label>
        <button class="primary" disabled={busy.value}>
          {busy.value ? "Opening …" : "Unlock"}
        </button>
        <p id="unlock-failure" class="trouble" role="alert">
          {failure.value}
        </p>
      </form>
    </main>
  );
}

export function NotOpened() {
  return (
    <main class="door">
      <img src="./leaf.svg" alt="" width="56" height="56" />
      <h1>This page was closed</h1>
      <p>Your journal is safe on this machine. To go on, open it anew in a terminal:</p>
      <p>
        <code class="command">lockleaf app</code>
      </p>
    </main>
  );
}
