import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { go, route } from "../router";
import { archive, state } from "../state";
import { Icon } from "./icons";
import { SyncState } from "./SyncState";

const places: [string, string, string][] = [
  ["", "Journal", "journal"],
  ["search", "Search", "search"],
  ["calendar", "Calendar", "calendar"],
  ["today", "On this day", "today"],
  ["numbers", "Numbers", "numbers"],
];

/** A file that is let go anywhere but on an entry is another journal that comes in. */
function takeDropped(event: DragEvent) {
  const file = event.dataTransfer?.files[0];
  if (!file) return;
  event.preventDefault();
  archive.value = file;
  go("import");
}

function here(place: string) {
  const [first = ""] = route.value;
  if (first === place) return "page";
  return place === "" && ["entry", "day"].includes(first) ? "true" : undefined;
}

/** Everything around a screen: where one can go, and how it stands with the sync. */
export function Shell({ children }: { children: ComponentChildren }) {
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const screen = route.value.join("/");
  useEffect(() => {
    // A reader of the screen is told the new screen's name, where nothing on it took the focus (the field of the search
    // does); the first screen is announced by the browser.
    if (first.current) first.current = false;
    else if (!main.current?.contains(document.activeElement)) main.current?.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }, [screen]);
  const inbox = state.value?.counts.inbox ?? 0;
  const conflicts = state.value?.counts.conflicts ?? 0;
  return (
    <div class="shell" data-at={route.value[0] ?? ""}>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the journal
      </a>
      <nav class="rail" aria-label="Journal">
        <a class="wordmark" href="#/" aria-label="Lockleaf, the journal">
          <img src="./leaf.svg" alt="" width="26" height="26" />
          <span>Lockleaf</span>
        </a>
        <a class="button primary new" href="#/write" title="New entry (n)">
          <Icon name="write" size={18} />
          <span>New entry</span>
        </a>
        <ul class="places">
          {places.map(([place, name, icon]) => (
            <li key={place} class={`place-${place || "journal"}`}>
              <a href={`#/${place}`} aria-current={here(place)}>
                <Icon name={icon} />
                <span>{name}</span>
              </a>
            </li>
          ))}
          {conflicts ? (
            <li class="place-conflicts">
              <a href="#/conflicts" aria-current={here("conflicts")}>
                <Icon name="conflict" />
                <span>Two versions</span>
                <span class="count">{conflicts}</span>
              </a>
            </li>
          ) : null}
          {inbox ? (
            <li class="place-inbox">
              <a href="#/inbox" aria-current={here("inbox")}>
                <Icon name="inbox" />
                <span>Inbox</span>
                <span class="count">{inbox}</span>
              </a>
            </li>
          ) : null}
          <li class="place-account">
            <a href="#/account" aria-current={here("account")}>
              <Icon name="account" />
              <span>Account</span>
            </a>
          </li>
        </ul>
        <SyncState />
      </nav>
      <main class="main" id="main" ref={main} tabIndex={-1} onDragOver={(event) => event.dataTransfer?.types.includes("Files") && event.preventDefault()} onDrop={takeDropped}>
        {children}
      </main>
    </div>
  );
}
