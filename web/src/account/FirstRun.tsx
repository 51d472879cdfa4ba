import { useEffect } from "preact/hooks";
import { loadWriter } from "../parts";
import { go } from "../router";

/** The first thing that a new writer sees: one button away from the first line. */
export function FirstRun() {
  useEffect(() => {
    loadWriter();
  }, []);
  return (
    <main class="door first-run">
      <img src="./leaf.svg" alt="" width="72" height="72" />
      <h1>A journal that is yours alone</h1>
      <p>What you write stays on this machine. No account is needed; you can add one later, and lose nothing.</p>
      <button class="primary large" autofocus onClick={() => go("write")}>
        Write the first entry
      </button>
      <p class="dim">
        Already have a journal? <a href="#/account/login">Log in</a>, or <a href="#/import">bring one in from elsewhere</a>
      </p>
    </main>
  );
}
