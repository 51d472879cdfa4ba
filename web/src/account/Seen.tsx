import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { SeenEntry, SeenFact, SeenText, ServerSees, Sighting } from "../answers";
import { get, told } from "../api";
import { instant, longDay } from "../dates";
import { TagName } from "../ui/TagName";

const NOTHING: Record<string, string> = {
  no_account: "This journal has no account. It is sealed on this machine and goes nowhere, so no server sees anything of it: no entry, no name, not even that it exists.",
  logged_out: "This machine is logged out, so the server cannot be asked. Log in, and this page shows what it answers.",
  deleted: "The account is deleted, and the server said that it deleted everything with it. It cannot be asked any more.",
};

const SIGHTS: [Sighting["seen"], string][] = [
  ["never", "It cannot read"],
  ["in_use", "It sees only while it answers you"],
  ["always", "It sees"],
  ["here", "Not at the server"],
];

const bytes = (count: number) =>
  count < 1024 ? `${count.toLocaleString()} bytes` : count < 1024 ** 2 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1024 ** 2).toFixed(1)} MiB`;

function value({ value, unit }: SeenFact) {
  if (value === null) return "none";
  if (unit === "time") return instant(String(value));
  if (unit === "bytes") return bytes(Number(value));
  return typeof value === "number" ? value.toLocaleString() : value;
}

/** What the server has of this journal's user, by its own answers, beside what the user sees. */
export function Seen() {
  const found = useSignal<ServerSees | null>(null);
  const failure = useSignal("");
  useEffect(() => {
    get<ServerSees>("/server-view").then(
      (answer) => (found.value = answer),
      (error) => (failure.value = told(error)),
    );
  }, []);
  const now = found.value;
  return (
    <div class="account seen" aria-busy={!now && !failure.value}>
      <header class="head">
        <h1 tabIndex={-1}>What the server sees</h1>
        {now?.state === "shown" ? (
          <p class="dim">
            {now.server} was asked just now: this is what it answers about you. Nothing here is assumed.
          </p>
        ) : null}
      </header>
      {failure.value ? <p role="alert">{failure.value} What it has cannot be shown without it.</p> : null}
      {now && NOTHING[now.state] ? <p>{NOTHING[now.state]}</p> : null}
      {now?.state === "shown" ? <Shown view={now} /> : null}
    </div>
  );
}

function Shown({ view }: { view: ServerSees }) {
  return (
    <>
      {view.entries.length ? (
        <section aria-labelledby="seen-entries">
          <h2 id="seen-entries">{view.custody === "uce" ? "Some of your entries" : "Your newest entries there"}</h2>
          {view.custody === "uce" ? (
            <p class="dim">The server opened these to show what it can read while your session is in use. It keeps the sealed bytes.</p>
          ) : null}
          {view.entries.map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </section>
      ) : view.tier === "full_sync" ? (
        <p>No entry of this machine is at the server yet.</p>
      ) : null}
      {SIGHTS.map(([sight, title]) => {
        const these = view.visibility.filter((each) => each.seen === sight);
        return these.length ? (
          <section key={sight} class={`card sight-${sight}`}>
            <h2>{title}</h2>
            <dl class="sights">
              {these.map(({ what, how }) => (
                <div key={what}>
                  <dt>{what}</dt>
                  <dd>{how}</dd>
                </div>
              ))}
            </dl>
          </section>
        ) : null;
      })}
      {view.groups.map(({ title, facts }) => (
        <section key={title} class="card">
          <h2>{title}</h2>
          <dl class="facts broad">
            {facts.map((fact, index) => (
              <div key={index}>
                <dt>
                  <bdi>{fact.what}</bdi>
                </dt>
                <dd>
                  <bdi>{value(fact)}</bdi>
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </>
  );
}

function Entry({ entry }: { entry: SeenEntry }) {
  return (
    <article class="seen-entry">
      <div>
        <h3>You see</h3>
        <p class="dim small">{longDay(entry.day)}</p>
        <Text text={entry.here} link={`#/entry/${entry.id}`} />
        <p class="meta">
          {entry.mood ? <bdi>{entry.mood}</bdi> : null}
          {entry.tags.map((tag) => (
            <TagName key={tag} name={tag} />
          ))}
        </p>
        {entry.pending ? <p class="dim small">What you changed since is on this machine only.</p> : null}
      </div>
      <div>
        <h3>The server has</h3>
        <p>
          <code class="sealed">{entry.beginning.match(/.{1,8}/g)?.join(" ")} …</code>
        </p>
        <dl class="facts small">
          <Row what="Sealed size">{bytes(entry.size)}</Row>
          <Row what="Revision">{entry.revision.toLocaleString()}</Row>
          <Row what="Place in the order">{entry.seq.toLocaleString()}</Row>
          <Row what="Made">{instant(entry.created_at)}</Row>
          <Row what="Changed">{instant(entry.updated_at)}</Row>
          {entry.device ? <Row what="By">{entry.device}</Row> : null}
          <Row what="Date, source">{[entry.occurred_at, entry.source].filter(Boolean).join(", ") || "none"}</Row>
          {entry.labels.map(({ digest, kind, value }) => (
            <Row key={digest} what="Label">
              <code>{digest}</code> <span class="dim">{kind ? `(${kind} ${value})` : "(unknown here)"}</span>
            </Row>
          ))}
        </dl>
        <p class="dim small">
          {entry.labels.length ? "What a label stands for, only your devices can tell. " : ""}
          {entry.verified ? "This machine checked: these are the bytes that your devices sealed." : "Not the bytes that this machine verified last. Sync, and look again."}
        </p>
        {entry.opened ? (
          <>
            <h3>It can read, within a request</h3>
            <Text text={entry.opened} />
          </>
        ) : null}
      </div>
    </article>
  );
}

function Text({ text, link }: { text: SeenText; link?: string }) {
  const title = text.title || (link ? "Without a title" : "");
  return (
    <>
      {title ? (
        <p dir="auto">
          <strong>{link ? <a href={link}>{title}</a> : title}</strong>
        </p>
      ) : null}
      <p dir="auto" class="seen-text">
        {text.excerpt}
      </p>
    </>
  );
}

function Row({ what, children }: { what: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{what}</dt>
      <dd>{children}</dd>
    </div>
  );
}
