import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Form } from "../account/forms";
import type { ConnectionView, Connections, PreparedPublication, Published } from "../answers";
import { Problem, get, post, told } from "../api";
import { back } from "../router";
import { state, touched } from "../state";
import { Icon } from "../ui/icons";
import { NeedsAccount } from "./Connections";
import { nameOf, networkOf, sizeOf } from "./networks";

const SEEN: Record<string, string> = { public: "Everybody", unlisted: "Everybody, but in no public list", private: "Your followers", direct: "Only those whom it names" };

/** An entry goes out to a network: shown just as it leaves the encryption, before it does. */
export function Publish({ id }: { id: string }) {
  return (
    <div class="account connections">
      <div class="bar">
        <button class="quiet icon-button" onClick={() => back(`entry/${id}`)} aria-label="Back">
          <Icon name="back" />
        </button>
        <h1 tabIndex={-1} class="small-title">
          Publish this entry
        </h1>
      </div>
      {state.value!.account?.logged_in ? <Ready id={id} /> : <NeedsAccount known={Boolean(state.value!.account)} />}
    </div>
  );
}

function Ready({ id }: { id: string }) {
  const connections = useSignal<ConnectionView[] | null>(null);
  const chosen = useSignal("");
  const shown = useSignal<PreparedPublication | null>(null);
  const taken = useSignal<string[]>([]);
  const whole = useSignal(false);
  const preparing = useSignal(false);
  const failure = useSignal("");
  const outcome = useSignal<Published | null>(null);
  const asked = useRef(0);

  const prepare = async (pictures: string[], with_metadata: boolean) => {
    const mine = (asked.current += 1);
    failure.value = "";
    preparing.value = true;
    taken.value = pictures;
    whole.value = with_metadata;
    try {
      const made = await post<PreparedPublication>(`/entries/${id}/publication`, { pictures, with_metadata });
      if (mine === asked.current) shown.value = made;
    } catch (error) {
      if (mine === asked.current) failure.value = told(error);
    } finally {
      if (mine === asked.current) preparing.value = false;
    }
  };
  useEffect(() => {
    get<Connections>("/connections").then(
      (found) => {
        connections.value = found.connections.filter((one) => one.connected);
        chosen.value = connections.value[0]?.id ?? "";
      },
      (error) => (failure.value = told(error)),
    );
    prepare([], false);
  }, []);

  const now = shown.value;
  const going = now?.pictures.filter((one) => one.taken) ?? [];
  const connection = connections.value?.find((one) => one.id === chosen.value);
  const alert = failure.value ? (
    <p class="trouble" role="alert">
      {failure.value}
    </p>
  ) : null;
  if (outcome.value)
    return (
      <section class="card" role="status">
        <h2>{outcome.value.status === "published" ? "Published" : "Perhaps published, perhaps not"}</h2>
        {outcome.value.status === "published" ? null : <p>The network's answer was lost. Publish the same again in a few minutes: what is there is found, and is not published twice.</p>}
        <p class="row">
          {outcome.value.url ? (
            <a class="button" href={outcome.value.url} target="_blank" rel="noopener noreferrer">
              See it there
            </a>
          ) : null}
          <a class="button" href={`#/entry/${id}`}>
            Back to the entry
          </a>
        </p>
      </section>
    );
  if (connections.value && !connections.value.length)
    return (
      <section class="card">
        <h2>No network is connected</h2>
        <p>An entry can go out to a network that you have connected.</p>
        <p class="row">
          <a class="button primary" href="#/account/connections">
            Connections
          </a>
        </p>
      </section>
    );
  if (!now || !connections.value) return alert ?? <div aria-busy="true" />;
  return (
    <section class="card">
      {alert}
      {now.pictures.length ? (
        <fieldset class="choice pictures">
          <legend>Pictures that go with it</legend>
          {now.pictures.map((one) => (
            <label key={one.id} class="check">
              <input
                type="checkbox"
                checked={taken.value.includes(one.id)}
                onChange={(event) => prepare(event.currentTarget.checked ? [...taken.value, one.id] : taken.value.filter((other) => other !== one.id), whole.value)}
              />
              <bdi>{one.name}</bdi>
            </label>
          ))}
          {taken.value.length ? (
            <label class="check">
              <input type="checkbox" checked={whole.value} onChange={(event) => prepare(taken.value, event.currentTarget.checked)} />
              <span>
                Leave in them what a camera wrote
                <span class="dim small">Perhaps where and when they were taken, and with what.</span>
              </span>
            </label>
          ) : null}
        </fieldset>
      ) : null}
      {now.others.length ? (
        <p class="dim small">
          Networks take no such file:{" "}
          {now.others.map((name, at) => (
            <>
              {at ? ", " : ""}
              <bdi>{name}</bdi>
            </>
          ))}
          .
        </p>
      ) : null}
      <Form
        label={`Publish on ${connection ? networkOf(connection) : "the network"}`}
        send={async ({ page, visibility }) => {
          if (preparing.value || failure.value) throw new Problem(0, "preparing", "Look at what goes out first.");
          try {
            outcome.value = await post<Published>(`/entries/${id}/publish`, {
              connection_id: chosen.value,
              version: now.version,
              pictures: taken.value,
              with_metadata: whole.value,
              ...(page ? { page } : {}),
              ...(visibility ? { visibility } : {}),
            });
            touched([id]);
          } catch (error) {
            if (error instanceof Problem && error.code === "entry_changed") prepare([], false);
            throw error;
          }
        }}
      >
        <div class="field">
          <label for="publish-on">On</label>
          <select id="publish-on" autocomplete="off" value={chosen.value} onChange={(event) => (chosen.value = event.currentTarget.value)}>
            {connections.value.map((one) => (
              <option key={one.id} value={one.id}>
                {nameOf(one)}
              </option>
            ))}
          </select>
        </div>
        {connection?.network === "facebook" ? (
          <div class="field" key={connection.id}>
            <label for="publish-page">Page</label>
            <select id="publish-page" name="page" autocomplete="off" required>
              {connection.pages.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </select>
          </div>
        ) : connection?.visibilities.length ? (
          <div class="field" key={connection.id}>
            <label for="publish-visibility">Who can see it</label>
            <select id="publish-visibility" name="visibility" autocomplete="off">
              <option value="">As you have set it there</option>
              {connection.visibilities.map((one) => (
                <option key={one} value={one}>
                  {SEEN[one] ?? one}
                </option>
              ))}
            </select>
          </div>
        ) : null}
        <div class="warning going-out" aria-busy={preparing.value}>
          <p>
            <strong>Just this leaves the encryption.</strong> It goes in plain text through your server to the network, where others can read and copy it, and it can't be taken back for certain.
          </p>
          <blockquote dir="auto">{now.text}</blockquote>
          {going.length ? (
            <>
              <ul>
                {going.map((one) => (
                  <li key={one.id}>
                    <bdi>{one.name}</bdi>, {sizeOf(one.size)}
                  </li>
                ))}
              </ul>
              <p>{whole.value ? <strong>The pictures keep what a camera wrote into them: perhaps where and when they were taken.</strong> : "What a camera wrote into the pictures is removed. Their names go along."}</p>
            </>
          ) : null}
        </div>
      </Form>
    </section>
  );
}
