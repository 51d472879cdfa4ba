import { useSignal } from "@preact/signals";
import { Problem, post } from "../api";
import { back } from "../router";
import { refresh, say, state, touched } from "../state";
import { Icon } from "../ui/icons";
import { plural } from "../words";
import { Field, Form, proof } from "./forms";
import type { Codes } from "../answers";

function Head({ title }: { title: string }) {
  return (
    <div class="bar">
      <button class="quiet icon-button" onClick={() => back("account")} aria-label="Back">
        <Icon name="back" />
      </button>
      <h1 tabIndex={-1} class="small-title">{title}</h1>
    </div>
  );
}

export function Register({ done }: { done: (codes: string[]) => void }) {
  return (
    <div class="joining">
      <Head title="Create an account" />
      <Form
        label="Create the account"
        send={async ({ server, name, password, again, custody, tier }) => {
          if (password !== again) throw new Problem(0, "differ", "The two passwords differ.");
          const made = await post<Codes>("/account/register", { server, name, password, custody, tier });
          await refresh();
          done(made.recovery_codes);
        }}
      >
        <Field label="Server" name="server" type="url" placeholder="https://journal.example.org" required hint="Your own, or one of somebody you trust to keep it running. It cannot read your journal." />
        <Field label="Email, or a name" name="name" required />
        <Field label="Password" name="password" type="password" autocomplete="new-password" required hint="It opens your journal and never leaves this machine. Four unusual words are a good one." />
        <Field label="The same again" name="again" type="password" autocomplete="new-password" required />
        <fieldset class="steps">
          <legend>What leaves this machine</legend>
          <label>
            <input type="radio" name="tier" value="full_sync" defaultChecked />
            <span>
              <strong>The encrypted journal</strong>
              <span class="dim">It reaches your other devices.</span>
            </span>
          </label>
          <label>
            <input type="radio" name="tier" value="local_only" />
            <span>
              <strong>Nothing yet</strong>
              <span class="dim">The server has the account and no more. Change it at any time.</span>
            </span>
          </label>
        </fieldset>
        <fieldset class="steps">
          <legend>Who can read</legend>
          <label>
            <input type="radio" name="custody" value="e2e" defaultChecked />
            <span>
              <strong>Only your devices</strong>
              <span class="dim">End-to-end encrypted. The server can never read a word.</span>
            </span>
          </label>
          <label>
            <input type="radio" name="custody" value="uce" />
            <span>
              <strong>The server too, while you are logged in</strong>
              <span class="dim">For the thinnest of clients. This cannot be changed later.</span>
            </span>
          </label>
        </fieldset>
      </Form>
    </div>
  );
}

export function Login({ done }: { done: () => void }) {
  const by = useSignal<"address" | "link" | "recovery">("address");
  const here = state.value!.account ? 0 : state.value!.counts.entries;
  const welcome = async () => {
    await refresh();
    touched(null);
    say("Logged in. Your journal is on its way.");
    done();
  };
  return (
    <div class="joining">
      <Head title="Log in" />
      <div class="tabs" role="group" aria-label="How to log in">
        <button aria-pressed={by.value === "address"} onClick={() => (by.value = "address")}>
          With the address
        </button>
        <button aria-pressed={by.value === "link"} onClick={() => (by.value = "link")}>
          With a link code
        </button>
        <button aria-pressed={by.value === "recovery"} onClick={() => (by.value = "recovery")}>
          With a recovery code
        </button>
      </div>
      {here ? <p>What you have written here ({plural(here, "entry", "entries")}) joins the account's journal.</p> : null}
      {by.value === "link" ? (
        <Form key="link" label="Log in" send={async ({ code, name, ...secrets }) => welcomeAfter(post("/account/login-by-link", { code: code?.trim(), name, ...proof(secrets) }), welcome)}>
          <Field label="Link code" name="code" required hint="From a device that is logged in already: Account, Link another device." />
          <Field label="Email, or a name" name="name" required />
          <Field label="Password" name="password" type="password" autocomplete="current-password" required />
        </Form>
      ) : by.value === "recovery" ? (
        <Form
          key="recovery"
          label="Set the password and log in"
          send={async ({ server, name, code, new_password, again, custody, ...secrets }) => {
            if (new_password !== again) throw new Problem(0, "differ", "The two passwords differ.");
            await post("/account/recover", { server, name, code: code?.trim(), new_password, custody: custody || null, ...proof(secrets) });
            await welcome();
          }}
        >
          <p>One of the codes that you kept on paper sets a new password. It is spent by that, and your other devices are signed out.</p>
          <Field label="Server" name="server" type="url" placeholder="https://journal.example.org" required />
          <Field label="Email, or a name" name="name" required />
          <Field label="Recovery code" name="code" required hint="Capitals, hyphens and spaces don't matter." />
          <Field label="New password" name="new_password" type="password" autocomplete="new-password" required />
          <Field label="The same again" name="again" type="password" autocomplete="new-password" required />
          <ByServer sent="The code and the new password are" />
        </Form>
      ) : (
        <Form
          key="address"
          label="Log in"
          send={async ({ server, name, custody, ...secrets }) => welcomeAfter(post("/account/login", { server, name, custody: custody || null, ...proof(secrets) }), welcome)}
        >
          <Field label="Server" name="server" type="url" placeholder="https://journal.example.org" required />
          <Field label="Email, or a name" name="name" required />
          <Field label="Password" name="password" type="password" autocomplete="current-password" required />
          <ByServer sent="Your password is" />
        </Form>
      )}
    </div>
  );
}

/** For accounts whose keys the server makes; what the server says of it never decides. */
function ByServer({ sent }: { sent: string }) {
  return (
    <label class="check">
      <input type="checkbox" name="custody" value="uce" />
      <span>
        The server can read this account
        <span class="dim small">Only if you chose so when it was made. {sent} sent to the server then.</span>
      </span>
    </label>
  );
}

const welcomeAfter = (joining: Promise<unknown>, welcome: () => Promise<void>) => joining.then(welcome);
