import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Field, Form } from "../account/forms";
import type { BegunConnection, ConnectionView } from "../answers";
import { Problem, post } from "../api";
import { say } from "../state";
import { NAMES, nameOf } from "./networks";

type Network = "mastodon" | "facebook";

/** Another network: its own page asks whether one allows it, and what it answers is pasted here. */
export function Connect({ done }: { done: () => unknown }) {
  const network = useSignal<Network>("mastodon");
  const begun = useSignal<BegunConnection | null>(null);
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (begun.value) link.current?.focus();
  }, [begun.value]);
  return (
    <section class="card">
      <h2>Connect a network</h2>
      <p>
        The server keeps a token with which it can <strong>read your posts and publish in your name</strong>. Posts are sealed as they come, and the server can't read them again. What you publish passes through it in plain text.
      </p>
      {begun.value ? (
        <>
          <ol class="numbered">
            <li>
              <a ref={link} class="button" href={begun.value.address} target="_blank" rel="noopener noreferrer">
                Allow it at <bdi>{begun.value.host}</bdi>
              </a>
            </li>
            <li>Come back with the code that you are shown, or with the address that you are sent to.</li>
          </ol>
          <Form
            label="Connect it"
            send={async ({ code }) => {
              try {
                const made = await post<ConnectionView>("/connections/finish", { code: code?.trim() });
                begun.value = null;
                say(`Connected: ${nameOf(made)}.`);
                done();
              } catch (error) {
                if (error instanceof Problem && error.code === "nothing_begun") begun.value = null;
                throw error;
              }
            }}
          >
            <Field label="The code, or the address" name="code" required />
          </Form>
          <p>
            <button class="quiet" onClick={() => (begun.value = null)}>
              Begin again
            </button>
          </p>
        </>
      ) : (
        <>
          <fieldset class="choice">
            <legend>Network</legend>
            {(["mastodon", "facebook"] as const).map((one) => (
              <label key={one}>
                <input type="radio" name="network" checked={network.value === one} onChange={() => (network.value = one)} />
                {NAMES[one]}
              </label>
            ))}
          </fieldset>
          <Form
            key={network.value}
            label="Go on"
            send={async ({ instance }) => {
              begun.value = await post<BegunConnection>("/connections", { network: network.value, ...(instance ? { instance: instance.trim() } : {}) });
            }}
          >
            {network.value === "mastodon" ? (
              <Field label="Your instance" name="instance" hint="The name of the server that you use there, as mastodon.social." required />
            ) : (
              <p class="dim">Entries go out to a Page that you manage: Facebook lets no application write to a profile.</p>
            )}
          </Form>
        </>
      )}
    </section>
  );
}
