import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Form } from "../account/forms";
import type { ConnectionView, Connections as ConnectionList, PulledPosts } from "../answers";
import { get, post, remove, told } from "../api";
import { ago, instant } from "../dates";
import { back } from "../router";
import { say, state } from "../state";
import { Icon } from "../ui/icons";
import { plural } from "../words";
import { Connect } from "./Connect";
import { nameOf, networkOf } from "./networks";

/** The social networks of the account: what is connected, what it needs, and how another one is. */
export function Connections() {
  const account = state.value!.account;
  return (
    <div class="account connections">
      <div class="bar">
        <button class="quiet icon-button" onClick={() => back("account")} aria-label="Back">
          <Icon name="back" />
        </button>
        <h1 tabIndex={-1} class="small-title">
          Connections
        </h1>
      </div>
      <p class="dim">A connected network sends your own posts into the inbox, every hour. None of them becomes an entry by itself, and nothing that you write is published by itself.</p>
      {account?.logged_in ? <Known /> : <NeedsAccount known={Boolean(account)} />}
    </div>
  );
}

export function NeedsAccount({ known }: { known: boolean }) {
  return (
    <section class="card">
      <h2>Connections need an account</h2>
      <p>Your server speaks to the networks for you, also while this machine is off. {known ? "Log in to see what is connected." : "This journal is on this machine only, and no server knows it."}</p>
      <p class="row">
        {known ? null : (
          <a class="button primary" href="#/account/register">
            Create an account
          </a>
        )}
        <a class={known ? "button primary" : "button"} href="#/account/login">
          Log in
        </a>
      </p>
    </section>
  );
}

function Known() {
  const found = useSignal<ConnectionView[] | null>(null);
  const failure = useSignal("");
  const leaving = useSignal("");
  const busy = useSignal("");
  const take = (list: ConnectionList) => {
    found.value = list.connections;
    failure.value = "";
  };
  const fetchThem = () => get<ConnectionList>("/connections").then(take, (error) => (failure.value = told(error)));
  useEffect(() => {
    fetchThem();
  }, []);
  const pull = async (one: ConnectionView) => {
    if (busy.value) return;
    busy.value = one.id;
    try {
      const done = await post<PulledPosts>(`/connections/${one.id}/pull`);
      say(`${done.added ? `${plural(done.added, "post")} came into the inbox.` : "Nothing new was there."}${done.complete ? "" : " There is more: fetch again, or leave it to the server."}`);
    } catch (error) {
      say(told(error));
    } finally {
      busy.value = "";
      fetchThem();
    }
  };
  return (
    <>
      <section class="card" aria-busy={found.value === null && !failure.value}>
        <h2>Connected</h2>
        {failure.value ? (
          <p class="trouble" role="alert">
            {failure.value}
          </p>
        ) : null}
        {found.value && !found.value.length ? <p class="dim">No network is connected.</p> : null}
        <ul class="devices">
          {found.value?.map((one) => (
            <li key={one.id} class="connection">
              <div class="connection-head">
                <Icon name="publish" />
                <span class="grow">
                  <bdi>{one.name || networkOf(one)}</bdi>
                  <span class="dim small">
                    {networkOf(one)}, {one.pulled_at ? `last looked at ${ago(one.pulled_at)}` : "not looked at yet"}
                    {one.paused_until && Date.parse(one.paused_until) > Date.now() ? `; it wants to be left alone until ${instant(one.paused_until)}` : ""}
                  </span>
                </span>
                {one.connected ? (
                  <button class="quiet" disabled={Boolean(busy.value)} aria-label={`Fetch posts of ${nameOf(one)}`} onClick={() => pull(one)}>
                    {busy.value === one.id ? "One moment …" : "Fetch posts"}
                  </button>
                ) : null}
                <button class="quiet" aria-expanded={leaving.value === one.id} aria-label={`Disconnect ${nameOf(one)}`} onClick={() => (leaving.value = leaving.value === one.id ? "" : one.id)}>
                  Disconnect
                </button>
              </div>
              {one.connected ? (
                one.trouble ? (
                  <p class="warn">{one.trouble}</p>
                ) : null
              ) : (
                <p class="warn">{networkOf(one)} no longer accepts this connection: it has ended, or you revoked it there. Connect it again below; nothing is lost or doubled.</p>
              )}
              {one.unknown ? <p class="warn">The network's answer was lost for {one.unknown === 1 ? "one entry" : plural(one.unknown, "entry", "entries")}. Publish each again: what is there is found, and is not published twice.</p> : null}
              {leaving.value === one.id ? (
                <Form
                  label="Disconnect it"
                  send={async () => {
                    take(await remove<ConnectionList>(`/connections/${one.id}`));
                    leaving.value = "";
                    say("It is disconnected, and its token forgotten.");
                  }}
                >
                  <p>The server forgets its token and asks the network to revoke it. What came in and what you published stays.</p>
                </Form>
              ) : null}
            </li>
          ))}
        </ul>
      </section>
      {found.value ? <Connect done={fetchThem} /> : null}
    </>
  );
}
