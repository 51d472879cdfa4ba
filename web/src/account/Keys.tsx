import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Codes, Keys as KeysState, SealedFiles } from "../answers";
import { Problem, get, post, told } from "../api";
import { refresh, say } from "../state";
import { plural } from "../words";
import { Field, Form, proof } from "./forms";

const sealFiles = () =>
  post<SealedFiles>("/keys/files").then((done) => {
    const missing = done.missing ? ` The server could not give ${plural(done.missing, "file")} as attached: they stay as they are.` : "";
    const left = done.left ? ` Left for the next time: ${done.left.toLocaleString()}.` : "";
    say(`Attached files sealed anew: ${done.sealed.toLocaleString()}.${missing}${left}`);
  });

/** Fresh keys, for the day a device is lost. */
export function NewKeys({ codes }: { codes: (fresh: string[]) => void }) {
  return (
    <Form
      label="Change the keys"
      send={async ({ new_password, again, files, ...secrets }) => {
        if (new_password !== again) throw new Problem(0, "differ", "The two new passwords differ.");
        const made = await post<Codes>("/keys/rotate", { new_password: new_password || null, files: !!files, ...proof(secrets) });
        await refresh();
        codes(made.recovery_codes);
      }}
    >
      <div class="warning">
        <p>
          For when a device is lost. Whoever has its keys then reads and forges nothing that you write from now on. <strong>Copies that they have already stay open to them.</strong>
        </p>
        <ul>
          <li>Your other devices are signed out: log in again there.</li>
          <li>You get new recovery codes; the old ones no longer work.</li>
          <li>Everything at the server is sealed again by the syncs that follow. It drops earlier revisions of entries, which the old keys open.</li>
        </ul>
      </div>
      <Field label="Password now" name="password" type="password" autocomplete="current-password" required />
      <Field label="New password" name="new_password" type="password" autocomplete="new-password" hint="Leave it empty to keep the present one. Whoever may know that one, and gets at your account, opens the new keys too." />
      <Field label="The same again" name="again" type="password" autocomplete="new-password" />
      <label class="check">
        <input type="checkbox" name="files" />
        <span>
          Seal attached files anew as well
          <span class="dim small">Each is fetched and sent again. Otherwise whoever has the old keys, and gets at the server's store, opens them.</span>
        </span>
      </label>
    </Form>
  );
}

/** What a change of keys has left to do. */
export function KeysLeft() {
  const keys = useSignal<KeysState | null>(null);
  const busy = useSignal(false);
  const look = () => get<KeysState>("/keys").then((found) => (keys.value = found), () => undefined);
  useEffect(() => {
    look();
  }, []);
  if (!keys.value) return null;
  return (
    <>
      {keys.value.sealed_again ? null : <p class="dim">Not everything at the server is sealed under the newest keys yet. Each sync goes on with it.</p>}
      {keys.value.files_unfinished ? (
        <>
          <p>Attached files are to be sealed anew. Each is fetched and sent again, which can take a while; it goes on later where it stops.</p>
          <p class="row">
            <button
              disabled={busy.value}
              onClick={() => {
                busy.value = true;
                sealFiles()
                  .catch((error) => say(told(error)))
                  .finally(() => ((busy.value = false), look()));
              }}
            >
              {busy.value ? "Sealing files anew …" : "Seal attached files anew"}
            </button>
          </p>
        </>
      ) : null}
    </>
  );
}
