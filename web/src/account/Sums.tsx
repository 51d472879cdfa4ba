import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, post, told } from "../api";
import type { EncryptedSums } from "../answers";
import { changed, state } from "../state";
import { useTurns } from "../turns";
import { plural } from "../words";

const NAMES: Record<string, string> = { word_count: "words an entry", mood: "mood, from −1 to 1" };
const WHY: Record<string, string> = {
  no_account: "There is no account, so no server adds anything up. The numbers above come from this machine.",
  not_installed: "The library for encrypted numbers is not installed here. With it (pip install 'lockleaf[metrics]') this page can also show what the server adds up over numbers that it cannot read.",
  tier: "Your account’s server holds none of your numbers. Under Account, What leaves this machine, you can let it hold encrypted ones.",
};

const number = (value: number) => value.toLocaleString(undefined, { maximumFractionDigits: Math.abs(value) < 20 ? 2 : 0 });

/** What the server added up over encrypted numbers, beside what this machine counts. */
export function Sums() {
  const found = useSignal<EncryptedSums | null>(null);
  const failure = useSignal("");
  const busy = useSignal(false);
  const inTurn = useTurns();
  const ask = (question: () => Promise<EncryptedSums>, looks: boolean) => {
    busy.value = true;
    const take = (sums: EncryptedSums) => {
      found.value = sums;
      failure.value = sums.message ?? "";
    };
    const refuse = (error: unknown) => {
      failure.value = told(error);
    };
    inTurn(question, take, refuse, { looks }).then((last) => last && (busy.value = false));
  };
  const look = () => ask(() => get<EncryptedSums>("/encrypted-sums"), true);
  const keep = (on: boolean) => ask(() => post<EncryptedSums>("/encrypted-sums", { on }), false);
  const count = changed.value.count;
  const synced = state.value?.sync.last_sync;
  useEffect(look, [count, synced]);
  const now = found.value;
  const differing = now?.metrics.some(({ server, device }) => server?.count !== device?.count) ?? false;
  return (
    <section class="card sums" aria-busy={!now && !failure.value}>
      <h2>Added up by the server, unread</h2>
      {failure.value ? <p class="dim">{failure.value}</p> : null}
      {now && WHY[now.state] ? <p class="dim">{WHY[now.state]}</p> : null}
      {now?.state === "off" ? (
        <>
          <p>
            Your server can add up encrypted numbers of all your devices without reading one. It learns in which months entries lie and which changes touched the sums: no value, count or sum. Only your devices can open the result.
          </p>
          <button disabled={busy.value} onClick={() => keep(true)}>
            Let the server add them up
          </button>
        </>
      ) : null}
      {now?.state === "shown" ? (
        <>
          <div class="scrolls" tabIndex={0} role="region" aria-label="Sums of the server and of this machine">
            <table>
              <thead>
                <tr>
                  <th scope="col">Average of</th>
                  <th scope="col">Server’s sums</th>
                  <th scope="col">This machine</th>
                </tr>
              </thead>
              <tbody>
                {now.metrics.map(({ name, server, device }) => (
                  <tr key={name}>
                    <th scope="row">
                      <bdi>{NAMES[name] ?? name.replaceAll("_", " ")}</bdi>
                    </th>
                    {[server, device].map((side, index) => (
                      <td key={index}>
                        {side ? number(side.average) : "–"} <span class="dim small">{side ? `of ${plural(side.count, "value")}` : ""}</span>
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="dim small">
            {now.pending ? `${plural(now.pending, "change")} on this machine did not reach the server yet, so the two differ. ` : differing ? "The two differ. " : "Both come to the same. "}
            The server’s sums hold what every one of your devices sent, encrypted; this machine counts the entries that it has. They differ while something waits to be sent or fetched and where an entry was written by a program that counts nothing. Encrypted numbers are exact to a few digits only. The server does not vouch for its sums, and learns from them in which months entries lie: no value, count or sum.
          </p>
          <button class="quiet" disabled={busy.value} onClick={() => keep(false)}>
            Have the server delete its sums
          </button>
        </>
      ) : null}
    </section>
  );
}
