import { post, reachable, told } from "../api";
import { ago } from "../dates";
import { say, state } from "../state";
import { plural } from "../words";

/** The one quiet place that says how far this machine and the others agree. */
export function SyncState() {
  const now = state.value;
  if (!now) return null;
  if (!reachable.value) return <p class="sync away" role="status"><span class="lamp" aria-hidden="true" />Lockleaf doesn’t answer</p>;
  const { sync } = now;
  const waiting = sync.pending ? `${plural(sync.pending, "change")} to send` : "";
  const said = {
    local: "On this machine only",
    idle: waiting || "Up to date",
    syncing: "Syncing …",
    offline: waiting ? `Offline · ${waiting}` : "Offline",
    error: sync.message ?? "Sync stopped",
  }[sync.state];
  return (
    <div class={`sync ${sync.state}`}>
      <p role="status">
        <span class="lamp" aria-hidden="true" />
        <span>{said}</span>
      </p>
      {sync.state === "local" ? null : (
        <button class="link" disabled={sync.state === "syncing"} title={sync.last_sync ? `Last: ${ago(sync.last_sync)}` : undefined} onClick={() => post("/sync").catch((error) => say(told(error)))}>
          Sync now
        </button>
      )}
    </div>
  );
}
