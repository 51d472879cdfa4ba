import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { AddedApp, FactorCodes, FactorView, Factors as FactorList } from "../answers";
import { Problem, get, post, told } from "../api";
import { ago } from "../dates";
import { say } from "../state";
import { Icon } from "../ui/icons";
import { plural } from "../words";
import { Field, Form, proof } from "./forms";

const KINDS = { totp: "Authenticator app", passkey: "Passkey" };
type Doing = { what: "" | "app" | "codes" } | { what: "remove"; factor: FactorView };

/** What the server asks for beside the password. */
export function Factors({ codes }: { codes: (fresh: string[]) => void }) {
  const known = useSignal<FactorList | null>(null);
  const failure = useSignal("");
  const doing = useSignal<Doing>({ what: "" });
  const fetchThem = () =>
    get<FactorList>("/factors").then(
      (found) => (known.value = found),
      (error) => (failure.value = told(error)),
    );
  useEffect(() => {
    fetchThem();
  }, []);
  const finish = (said: string, fresh: string[] = []) => {
    doing.value = { what: "" };
    fetchThem();
    say(said);
    if (fresh.length) codes(fresh);
  };
  const toggle = (what: "app" | "codes") => (doing.value = { what: doing.value.what === what ? "" : what });
  const factors = known.value?.factors ?? [];
  const now = doing.value;
  return (
    <section class="card">
      <h2>Second factors</h2>
      {failure.value ? <p class="dim">{failure.value}</p> : null}
      {known.value ? (
        <p>
          {factors.length
            ? "The server asks for one of them when you log in, and before anything that opens the account. The journal on this machine opens without."
            : "The password alone lets in. With a second factor, whoever learns it still can't log in."}
        </p>
      ) : null}
      <ul class="devices">
        {factors.map((factor) => (
          <li key={factor.id}>
            <Icon name="lock" />
            <span class="grow">
              <bdi>{factor.name || KINDS[factor.kind]}</bdi>
              <span class="dim small">
                {factor.name ? `${KINDS[factor.kind]}, ` : ""}
                {factor.last_used_at ? `last used ${ago(factor.last_used_at)}` : "not used yet"}
              </span>
            </span>
            <button class="quiet" aria-label={`Remove ${factor.name || KINDS[factor.kind]}`} onClick={() => (doing.value = { what: "remove", factor })}>
              Remove
            </button>
          </li>
        ))}
      </ul>
      {known.value?.wrong_codes ? (
        <p class="warn">{plural(known.value.wrong_codes, "wrong code")} came since the last right one. Whoever sent them knows your password: if that was not you, change it.</p>
      ) : null}
      {factors.length ? <p class="dim small">{plural(known.value!.codes_left, "factor code")} left.</p> : null}
      {known.value ? (
        <p class="row">
          <button aria-expanded={now.what === "app"} onClick={() => toggle("app")}>
            Add an app
          </button>
          {factors.length ? (
            <button aria-expanded={now.what === "codes"} onClick={() => toggle("codes")}>
              New factor codes
            </button>
          ) : null}
        </p>
      ) : null}
      {now.what === "app" ? <AddApp first={!factors.length} done={(fresh) => finish("The app is added. Other devices have to log in again.", fresh)} /> : null}
      {now.what === "codes" ? (
        <Form label="Make new codes" send={async (secrets) => finish("The old codes no longer work. Other devices have to log in again.", (await post<FactorCodes>("/factors/codes", proof(secrets))).codes)}>
          <p>New codes take the place of the old ones, which then no longer work. Your other devices are signed out.</p>
          <Field label="Password" name="password" type="password" autocomplete="current-password" required />
        </Form>
      ) : null}
      {now.what === "remove" ? (
        <Form
          key={now.factor.id}
          label="Remove it"
          send={async (secrets) => {
            await post(`/factors/${now.factor.id}/remove`, proof(secrets));
            finish("It is removed. Other devices have to log in again.");
          }}
        >
          <div class="warning">
            <p>
              The server no longer asks for <bdi>{now.factor.name || KINDS[now.factor.kind]}</bdi>, and signs your other devices out.{" "}
              {factors.length === 1 ? <strong>It is the last one: your factor codes go too, and the password alone lets in.</strong> : null}
            </p>
          </div>
          <Field label="Password" name="password" type="password" autocomplete="current-password" required />
        </Form>
      ) : null}
      <p class="dim small">
        A passkey belongs to the address of the server, and a browser makes one only for the address of the page: not for this one, which is on your machine. With a security key, type: <code>lockleaf factors add passkey</code>. Where the server asks for a passkey, a factor code does here.
      </p>
    </section>
  );
}

function AddApp({ first, done }: { first: boolean; done: (codes: string[]) => void }) {
  const app = useSignal<AddedApp | null>(null);
  if (!app.value)
    return (
      <Form label="Go on" send={async ({ name, ...secrets }) => (app.value = await post<AddedApp>("/factors/apps", { name, ...proof(secrets) }))}>
        <p>
          An app on your phone shows six digits, which change every half a minute. Once it is added, your other devices are signed out.
          {first ? " You get ten factor codes for the day the phone is lost." : ""}
        </p>
        <Field label="What you call it" name="name" placeholder="phone" />
        <Field label="Password" name="password" type="password" autocomplete="current-password" required />
      </Form>
    );
  const grouped = app.value.secret.match(/.{1,4}/g)!.join(" ");
  return (
    <>
      <div class="link-code app-secret">
        <div class="qr" role="img" aria-label="The secret of the app as a QR code" dangerouslySetInnerHTML={{ __html: app.value.svg }} />
        <div>
          <p>Let the app scan this, or type the secret into it. Whoever has it can show the same digits: it is not shown again.</p>
          <p>
            <code class="wrapping">{grouped}</code>
          </p>
        </div>
      </div>
      <Form
        label="Confirm"
        send={async ({ code }) => {
          try {
            done((await post<FactorCodes>("/factors/apps/confirm", { code: code?.trim() })).codes);
          } catch (error) {
            // What is asked for stands in the field already.
            throw error instanceof Problem && error.code === "invalid_factor"
              ? new Problem(error.status, "wrong_digits", "That is not what the app shows. Wait for the next digits, and look whether the phone's clock is right.")
              : error;
          }
        }}
      >
        <Field label="The six digits that the app shows now" name="code" autocomplete="one-time-code" inputMode="numeric" required />
      </Form>
    </>
  );
}
