import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem, get, post, put, remove, told } from "../api";
import { instant } from "../dates";
import { Connections, Seen } from "../parts";
import { go } from "../router";
import { refresh, say, state, touched } from "../state";
import type { Codes, DraftList } from "../answers";
import type { Draft } from "../types";
import { Icon } from "../ui/icons";
import { showHelp } from "../ui/Help";
import { plural } from "../words";
import { Deletion } from "./Deletion";
import { Devices } from "./Devices";
import { Factors } from "./Factors";
import { Field, Form, proof } from "./forms";
import { KeysLeft, NewKeys } from "./Keys";
import { Login, Register } from "./Joining";
import { FactorCodes, RecoveryCodes } from "./RecoveryCodes";
import { Tags } from "./Tags";
import { Theme } from "./Theme";
import { Tier } from "./Tier";

export function Account({ part }: { part: string }) {
  const codes = useSignal<string[] | null>(null);
  const factorCodes = useSignal<string[]>([]);
  const now = state.value!;
  if (factorCodes.value.length) return <FactorCodes codes={factorCodes.value} done={() => (factorCodes.value = [])} />;
  if (codes.value) return <RecoveryCodes codes={codes.value} done={() => ((codes.value = null), go("account"))} />;
  const takeCodes = (fresh: string[]) => {
    if (fresh.length) codes.value = fresh;
    else go("account");
  };
  if (part === "login") return <Login done={() => go("")} />;
  if (part === "register") return <Register done={takeCodes} />;
  if (part === "drafts") return <Drafts />;
  if (part === "tags") return <Tags />;
  if (part === "seen") return <Seen />;
  if (part === "connections") return <Connections />;
  return (
    <div class="account">
      <header class="head">
        <h1 tabIndex={-1}>Account</h1>
      </header>
      {now.account ? <Known codes={takeCodes} factorCodes={(fresh) => (factorCodes.value = fresh)} /> : <LocalOnly />}
      <section class="card">
        <h2>Writing</h2>
        <DailyGoal />
        <Theme />
        <p class="row">
          <button onClick={showHelp}>
            Keys <kbd>?</kbd>
          </button>
          <a class="button" href="#/import">
            Bring another journal in
          </a>
          <a class="button" href="#/account/tags">
            Colours of tags
          </a>
          <a class="button" href="#/deleted">
            Deleted entries
          </a>
          <a class="button" href="#/account/connections">
            Connections
          </a>
          {now.counts.inbox ? (
            <a class="button" href="#/inbox">
              Inbox ({now.counts.inbox})
            </a>
          ) : null}
          {now.counts.drafts ? (
            <a class="button" href="#/account/drafts">
              {plural(now.counts.drafts, "draft")}
            </a>
          ) : null}
          {now.can_lock ? (
            <button onClick={() => post("/lock").then(refresh, (error) => say(told(error)))}>
              <Icon name="lock" size={17} /> Lock now
            </button>
          ) : null}
        </p>
      </section>
      <p class="dim small">
        Lockleaf {now.app_version}, profile {now.profile}
      </p>
    </div>
  );
}

function LocalOnly() {
  return (
    <section class="card">
      <h2>On this machine only</h2>
      {state.value!.keys_in === "file" ? <p class="warn">Its key lies beside it: whoever copies the whole folder can read it. An account with a password changes that.</p> : null}
      <p>
        Your journal is sealed on this machine and goes nowhere. With an account it reaches your other devices, end-to-end encrypted: the server stores what it cannot read. What you have written comes along.
      </p>
      <p class="row">
        <a class="button primary" href="#/account/register">
          Create an account
        </a>
        <a class="button" href="#/account/login">
          Log in
        </a>
        <a class="button quiet" href="#/account/seen">
          What a server sees
        </a>
      </p>
    </section>
  );
}

function Known({ codes, factorCodes }: { codes: (codes: string[]) => void; factorCodes: (codes: string[]) => void }) {
  const account = state.value!.account!;
  const { sync } = state.value!;
  const changing = useSignal<"" | "password" | "codes" | "keys" | "logout" | "delete">("");
  const toggle = (what: typeof changing.value) => (changing.value = changing.value === what ? "" : what);
  return (
    <>
      <section class="card">
        <h2>
          <bdi>{account.name}</bdi>
        </h2>
        <dl class="facts">
          <div>
            <dt>Server</dt>
            <dd>{account.server}</dd>
          </div>
          <div>
            <dt>Who can read</dt>
            <dd>{account.custody === "e2e" ? "Only your devices (end-to-end encrypted)" : "Your devices, and the server while your session is in use"}</dd>
          </div>
          <div>
            <dt>Last sync</dt>
            <dd>{sync.last_sync ? instant(sync.last_sync) : "not yet"}</dd>
          </div>
        </dl>
        {account.deleted ? <p class="warn">The account is deleted at the server, with everything that it held. The journal on this machine stays: read it, write, and export it. It syncs no more.</p> : null}
        {account.logged_in ? (
          <>
            <KeysLeft />
            <p class="row">
              <a class="button" href="#/account/seen">
                What the server sees
              </a>
              <button aria-expanded={changing.value === "password"} onClick={() => toggle("password")}>
                Change password
              </button>
              <button aria-expanded={changing.value === "codes"} onClick={() => toggle("codes")}>
                New recovery codes
              </button>
              <button aria-expanded={changing.value === "keys"} onClick={() => toggle("keys")}>
                Lost a device
              </button>
              <button class="quiet" aria-expanded={changing.value === "logout"} onClick={() => toggle("logout")}>
                Log out
              </button>
              <button class="quiet" aria-expanded={changing.value === "delete"} onClick={() => toggle("delete")}>
                Delete the account
              </button>
            </p>
          </>
        ) : account.deleted ? null : (
          <p class="row">
            <a class="button primary" href="#/account/login">
              Log in
            </a>
          </p>
        )}
        {changing.value === "keys" ? <NewKeys codes={codes} /> : null}
        {changing.value === "delete" && account.logged_in ? <Deletion /> : null}
        {changing.value === "password" ? (
          <Form
            label="Change it"
            send={async ({ new_password, again, ...secrets }) => {
              if (new_password !== again) throw new Problem(0, "differ", "The two new passwords differ.");
              await post("/account/password", { new_password, ...proof(secrets) });
              changing.value = "";
              say("The password is changed. Other devices have to log in again.");
            }}
          >
            <Field label="Password now" name="password" type="password" autocomplete="current-password" required />
            <Field label="New password" name="new_password" type="password" autocomplete="new-password" required />
            <Field label="The same again" name="again" type="password" autocomplete="new-password" required />
          </Form>
        ) : null}
        {changing.value === "codes" ? (
          <Form label="Make new codes" send={async (secrets) => codes((await post<Codes>("/account/recovery-codes", proof(secrets))).recovery_codes)}>
            <p>New codes take the place of the old ones, which then no longer work.</p>
            <Field label="Password" name="password" type="password" autocomplete="current-password" required />
          </Form>
        ) : null}
        {changing.value === "logout" ? (
          <Form
            label="Log out"
            send={async () => {
              await post("/account/logout");
              await refresh();
              touched(null);
              go("");
            }}
          >
            <p>
              {sync.pending ? `${plural(sync.pending, "change")} did not reach the server yet. ` : ""}
              You need your password to come back.
            </p>
          </Form>
        ) : null}
      </section>
      {account.logged_in ? <Factors codes={factorCodes} /> : null}
      {account.logged_in ? <Tier /> : null}
      {account.logged_in ? <Devices /> : null}
    </>
  );
}

function DailyGoal() {
  const goal = state.value!.daily_goal;
  return (
    <label class="inline-field">
      Words a day
      <input
        type="number"
        min={0}
        step={50}
        autocomplete="off"
        placeholder="none"
        value={goal ?? ""}
        onChange={(event) => {
          const wanted = Number(event.currentTarget.value);
          put<unknown>("/settings", { daily_goal: wanted > 0 ? wanted : null }).then(refresh, (error) => say(told(error)));
        }}
      />
    </label>
  );
}

function Drafts() {
  const drafts = useSignal<Draft[] | null>(null);
  const fetchThem = () =>
    get<DraftList>("/drafts").then(
      (found) => (drafts.value = found.drafts),
      (error) => say(told(error)),
    );
  useEffect(() => {
    fetchThem();
  }, []);
  return (
    <div class="drafts">
      <header class="head">
        <h1 tabIndex={-1}>Drafts</h1>
        <p class="dim">What was not finished when a window or the machine closed.</p>
      </header>
      {drafts.value && !drafts.value.length ? <p class="nothing">There are none.</p> : null}
      {drafts.value?.map((draft) => (
        <article class="entry-row flowing" key={draft.key}>
          <div class="grow">
            <h2 dir="auto" class="entry-title">
              <a class="entry-link" href={draft.entry_id ? `#/write/${draft.entry_id}` : `#/write/draft/${draft.key}`}>
                {draft.title || "Without a title"}
              </a>
            </h2>
            <p class="meta">
              <span>{instant(draft.saved_at)}</span>
              <span>{plural(draft.words, "word")}</span>
            </p>
          </div>
          <button
            class="quiet"
            onClick={() =>
              remove(`/drafts/${draft.key}`).then(
                () => (fetchThem(), refresh()),
                (error) => say(told(error)),
              )
            }
          >
            Discard
          </button>
        </article>
      ))}
    </div>
  );
}
