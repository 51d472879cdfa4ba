import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { call, told } from "../api";
import { back } from "../router";
import { archive, refresh, touched } from "../state";
import type { Imported } from "../types";
import { Icon } from "../ui/icons";
import { plural } from "../words";

const NAMES: Record<string, string> = {
  "apple-journal": "Apple Journal",
  csv: "a table",
  dayone: "Day One",
  diarium: "Diarium",
  "google-keep": "Google Keep",
  joplin: "Joplin",
  journey: "Journey",
  jsonl: "JSON lines",
  markdown: "Markdown",
  "standard-notes": "Standard Notes",
};

const KINDS: Record<string, string> = {
  skipped: "Left out",
  differs: "Not changed, since the entry here says something else",
  second: "Comes in as an entry of its own",
  repeats: "Repeats what stands before it",
  changed: "Comes in a little changed",
};

/** Another journal comes in: tried first, and only then written. */
export function Import() {
  const file = useSignal<File | null>(null);
  const tried = useSignal<Imported | null>(null);
  const done = useSignal<Imported | null>(null);
  const busy = useSignal("");
  const failure = useSignal("");
  const over = useSignal(false);
  const asked = useRef(0);

  const send = async (one: File, dry: boolean) => {
    const mine = (asked.current += 1);
    failure.value = "";
    busy.value = dry ? "Looking into it …" : "Bringing it in …";
    try {
      const headers = { "X-File-Name": encodeURIComponent(one.name), ...(dry ? { "X-Dry-Run": "1" } : {}) };
      const report = await call<Imported>("POST", "/import", { raw: one, headers });
      if (mine !== asked.current) return;
      if (dry) tried.value = report;
      else {
        done.value = report;
        tried.value = null;
        await refresh();
        touched(null);
      }
    } catch (error) {
      if (mine === asked.current) failure.value = told(error);
    } finally {
      if (mine === asked.current) busy.value = "";
    }
  };
  const take = (one: File | undefined | null) => {
    if (!one || busy.peek() === "Bringing it in …") return;
    file.value = one;
    tried.value = done.value = null;
    send(one, true);
  };
  useEffect(
    () =>
      archive.subscribe((dropped) => {
        if (!dropped) return;
        archive.value = null;
        take(dropped);
      }),
    [],
  );

  const would = tried.value;
  const did = done.value;
  const coming = would ? would.added + would.updated : 0;
  return (
    <div class="import">
      <div class="bar">
        <button class="quiet icon-button" onClick={() => back("account")} aria-label="Back">
          <Icon name="back" />
        </button>
        <h1 tabIndex={-1} class="small-title">Bring another journal in</h1>
      </div>
      <label
        class={`drop-zone ${over.value ? "over" : ""}`}
        onDragOver={(event) => (event.preventDefault(), (over.value = true))}
        onDragLeave={() => (over.value = false)}
        onDrop={() => (over.value = false)}
      >
        <Icon name="save" size={28} />
        <span>Drop an archive here, or choose one</span>
        <span class="dim small">Day One, Journey, Diarium, Apple Journal, Standard Notes, Joplin, Google Keep, Markdown, tables, or what Lockleaf exported. It is read on this machine, and nothing is written before you say so.</span>
        <input
          type="file"
          class="out-of-sight"
          onChange={(event) => {
            const input = event.currentTarget;
            take(input.files?.[0]);
            input.value = "";
          }}
        />
      </label>
      <p class="dim" role="status">{busy.value}</p>
      {failure.value ? <p class="trouble" role="alert">{failure.value}</p> : null}
      {would && file.value ? (
        <section class="card" aria-label="What would come in">
          <h2>
            {coming ? `${plural(coming, "entry", "entries")} would come in` : "Nothing new is in it"}
          </h2>
          <Counts report={would} name={file.value.name} />
          <p class="row">
            {coming ? (
              <button class="primary" disabled={Boolean(busy.value)} onClick={() => send(file.value!, false)}>
                Bring {coming === 1 ? "it" : "them"} in
              </button>
            ) : null}
            <button disabled={Boolean(busy.value)} onClick={() => (tried.value = null)}>
              {coming ? "Not now" : "Close"}
            </button>
          </p>
          <Remarks report={would} />
        </section>
      ) : null}
      {did && file.value ? (
        <section class="card" aria-label="What came in">
          <h2>{did.added + did.updated ? `${plural(did.added + did.updated, "entry", "entries")} came in` : "Nothing new came in"}</h2>
          <Counts report={did} name={file.value.name} />
          <p class="row">
            <a class="button primary" href="#/">
              To the journal
            </a>
          </p>
          <Remarks report={did} />
        </section>
      ) : null}
    </div>
  );
}

function Counts({ report, name }: { report: Imported; name: string }) {
  const facts: [string, string][] = [
    ["From", `${NAMES[report.importer] ?? report.importer}, `],
    ["New", plural(report.added, "entry", "entries")],
    ["Here already", plural(report.present, "entry", "entries")],
    ["Brought up to date", plural(report.updated, "entry", "entries")],
    ["With", plural(report.files, "picture or file", "pictures and files")],
  ];
  return (
    <dl class="facts">
      {facts.map(([fact, value]) => (
        <div key={fact}>
          <dt>{fact}</dt>
          <dd>
            {value}
            {fact === "From" ? <bdi>{name}</bdi> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Remarks({ report }: { report: Imported }) {
  if (!report.remarks.length) return null;
  const kinds = [...new Set(report.remarks.map((one) => one.kind))];
  return (
    <div class="remarks">
      {kinds.map((kind) => (
        <details key={kind} open={kind === "skipped"}>
          <summary>
            {KINDS[kind] ?? kind} ({report.remarks.filter((one) => one.kind === kind).length})
          </summary>
          <ul>
            {report.remarks
              .filter((one) => one.kind === kind)
              .map((one, index) => (
                <li key={index}>
                  <bdi>{one.place}</bdi>
                  {one.reason ? `: ${one.reason}` : ""}
                </li>
              ))}
          </ul>
        </details>
      ))}
      {report.more_remarks ? <p class="dim">And {report.more_remarks.toLocaleString()} more.</p> : null}
    </div>
  );
}
