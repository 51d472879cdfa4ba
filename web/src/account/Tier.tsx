import { useSignal } from "@preact/signals";
import { post, told } from "../api";
import { refresh, say } from "../state";
import type { Account } from "../types";
import { Field, Form } from "./forms";

type Name = NonNullable<Account["tier"]>;
const tiers: [Name, string, string][] = [
  ["local_only", "Nothing", "The server has the account and no more."],
  ["analytics_sync", "Encrypted numbers", "The server adds them up without reading one."],
  ["full_sync", "The encrypted journal", "Entries, tags, pictures and backups reach your other devices."],
];

/** How much leaves this machine, and what each step down deletes from the server before it does. */
export function Tier({ account }: { account: Account }) {
  const wanted = useSignal<Name | null>(null);
  const deletes = useSignal<[string, number | null][] | null>(null);
  const rank = (name: Account["tier"]) => tiers.findIndex(([one]) => one === name);
  const lower = wanted.value !== null && rank(wanted.value) < rank(account.tier);
  const choose = async (tier: Name) => {
    deletes.value = null;
    wanted.value = tier === account.tier ? null : tier;
    if (rank(tier) >= rank(account.tier)) return;
    try {
      const answer = await post<{ deletes: Record<string, number | null> }>("/account/tier", { tier, dry_run: true });
      deletes.value = Object.entries(answer.deletes).filter(([, count]) => count !== 0);
    } catch (error) {
      say(told(error));
    }
  };
  return (
    <section class="card">
      <h2>What leaves this machine</h2>
      <fieldset class="steps">
        <legend class="out-of-sight">What leaves this machine</legend>
        {tiers.map(([name, title, means]) => (
          <label key={name}>
            <input type="radio" name="tier" checked={(wanted.value ?? account.tier) === name} onChange={() => choose(name)} />
            <span>
              <strong>{title}</strong>
              <span class="dim">{means}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {wanted.value ? (
        <Form
          label={lower ? "Delete this from the server" : "Change it"}
          send={async ({ password }) => {
            await post("/account/tier", { tier: wanted.value, password });
            wanted.value = null;
            await refresh();
            say("Changed.");
          }}
        >
          {lower ? (
            <div class="warning">
              <p>
                <strong>The server deletes at once what this step does not hold.</strong> What is on this machine stays; other devices keep what they have and get nothing new.
              </p>
              {deletes.value?.length ? (
                <ul>
                  {deletes.value.map(([what, count]) => (
                    <li key={what}>
                      {count === null ? "All" : count.toLocaleString()} {what.replaceAll("_", " ")}
                    </li>
                  ))}
                </ul>
              ) : null}
            </div>
          ) : null}
          {lower ? <Field label="Password" name="password" type="password" autocomplete="current-password" required /> : null}
        </Form>
      ) : null}
    </section>
  );
}
