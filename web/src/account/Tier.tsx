import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, post, told } from "../api";
import { refresh, say } from "../state";
import type { TierChanged } from "../types";
import { Field, Form, proof } from "./forms";

type Name = TierChanged["tier"];
const tiers: [Name, string, string][] = [
  ["local_only", "Nothing", "The server has the account and no more."],
  ["analytics_sync", "Encrypted numbers", "The server adds them up without reading one."],
  ["full_sync", "The encrypted journal", "Entries, tags, pictures and backups reach your other devices."],
];

const NAMES: Record<string, string> = { media: "attached files", metrics: "encrypted numbers", backups: "encrypted records", conflicts: "open conflicts", inbox: "inbox items" };
const named = (what: string) => NAMES[what] ?? what.replaceAll("_", " ");
const counted = (deletes: TierChanged["deletes"]) =>
  Object.entries(deletes)
    .filter(([, count]) => count !== 0)
    .map(([what, count]) => (count === null ? `all ${named(what)}` : `${named(what)} (${count.toLocaleString()})`));

/** How much leaves this machine, and what each step down deletes from the server before it does. */
export function Tier() {
  const present = useSignal<Name | null>(null);
  const failure = useSignal("");
  const outcome = useSignal("");
  useEffect(() => {
    get<TierChanged>("/account/tier").then(
      (found) => (present.value = found.tier),
      (error) => (failure.value = told(error)),
    );
  }, []);
  const wanted = useSignal<Name | null>(null);
  const deletes = useSignal<string[]>([]);
  const lost = useSignal(0);
  const looking = useSignal(false);
  const rank = (name: Name | null) => tiers.findIndex(([one]) => one === name);
  const lower = wanted.value !== null && rank(wanted.value) < rank(present.value);
  const choose = async (tier: Name) => {
    deletes.value = [];
    lost.value = 0;
    outcome.value = "";
    wanted.value = tier === present.value ? null : tier;
    if (rank(tier) >= rank(present.value)) return;
    looking.value = true;
    try {
      const answer = await post<TierChanged>("/account/tier", { tier, dry_run: true });
      if (wanted.value !== tier) return;
      deletes.value = counted(answer.deletes);
      lost.value = answer.lost;
    } catch (error) {
      wanted.value = null;
      say(told(error));
    } finally {
      looking.value = false;
    }
  };
  return (
    <section class="card">
      <h2>What leaves this machine</h2>
      {failure.value ? <p class="dim">{failure.value}</p> : null}
      <fieldset class="steps" disabled={present.value === null}>
        <legend class="out-of-sight">What leaves this machine</legend>
        {tiers.map(([name, title, means]) => (
          <label key={name}>
            <input type="radio" name="tier" checked={(wanted.value ?? present.value) === name} onChange={() => choose(name)} />
            <span>
              <strong>{title}</strong>
              <span class="dim">{means}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <p role="status">{outcome.value}</p>
      {lower && looking.value ? <p role="status">Fetching what only the server has, and counting what it would delete …</p> : null}
      {wanted.value && !(lower && looking.value) ? (
        <Form
          label={lower ? "Delete this from the server" : "Change it"}
          send={async (secrets) => {
            const done = await post<TierChanged>("/account/tier", { tier: wanted.value, ...proof(secrets) });
            present.value = done.tier;
            wanted.value = null;
            await refresh();
            const gone = counted(done.deletes).join(", ");
            outcome.value = gone ? `Changed. The server deleted ${gone}.` : "Changed.";
          }}
        >
          {lower ? (
            <div class="warning">
              <p>
                <strong>The server deletes at once, for all your devices, what this step does not hold.</strong> What is on this machine stays; other devices keep what they have and get nothing new.
              </p>
              {deletes.value.length ? (
                <ul>
                  {deletes.value.map((what) => (
                    <li key={what}>{what}</li>
                  ))}
                </ul>
              ) : null}
              {lost.value ? (
                <p>
                  <strong>{lost.value === 1 ? "One attached file is" : `${lost.value.toLocaleString()} attached files are`} at the server alone, could not be fetched now, and will be lost.</strong>
                </p>
              ) : null}
            </div>
          ) : null}
          {lower ? <Field label="Password" name="password" type="password" autocomplete="current-password" required /> : null}
        </Form>
      ) : null}
    </section>
  );
}
