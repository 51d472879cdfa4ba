import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Holdings } from "../answers";
import { post, told } from "../api";
import { refresh, touched } from "../state";
import { plural } from "../words";
import { Field, Form, proof } from "./forms";

const listed = (found: Holdings) => [
  "the account, its sessions, second factors and recovery codes",
  ...(found.holds_journal
    ? [
        `${plural(found.entries, "entry", "entries")} with their tags and earlier versions`,
        ...(found.files ? [`${found.files.toLocaleString()} attached files and thumbnails`] : []),
        ...(found.conflicts ? [plural(found.conflicts, "open conflict")] : []),
        ...(found.inbox ? [plural(found.inbox, "inbox item")] : []),
      ]
    : []),
  "all metrics",
];

/** The end of the account, with what is deleted said first. */
export function Deletion() {
  const found = useSignal<Holdings | null>(null);
  const failure = useSignal("");
  useEffect(() => {
    post<Holdings>("/account/holdings").then(
      (holdings) => (found.value = holdings),
      (error) => (failure.value = told(error)),
    );
  }, []);
  if (failure.value)
    return (
      <p class="trouble" role="alert">
        {failure.value} Nothing was deleted.
      </p>
    );
  if (!found.value) return <p role="status">Fetching what only the server has …</p>;
  return (
    <Form
      label="Delete the account"
      send={async (secrets) => {
        await post("/account/delete", proof(secrets));
        await refresh();
        touched(null);
      }}
    >
      <div class="warning">
        <p>
          <strong>The server deletes at once and for good, for all your devices:</strong>
        </p>
        <ul>
          {listed(found.value).map((what) => (
            <li key={what}>{what}</li>
          ))}
        </ul>
        {found.value.lost ? <p>{plural(found.value.lost, "attached file")} could not be fetched from the server, and will be lost.</p> : null}
        {found.value.complete ? null : <p>This machine could not sync, so it may lack what your other devices wrote.</p>}
      </div>
      <p>The journal stays on this machine and can be read, written and exported here. Your other devices are signed out and keep what they have: don't log out on them before you took out what only they have.</p>
      <Field label="Password" name="password" type="password" autocomplete="current-password" required />
    </Form>
  );
}
