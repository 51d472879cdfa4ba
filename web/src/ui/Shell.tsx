import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { route } from "../router";
import { state } from "../state";
import { Icon } from "./icons";
import { SyncState } from "./SyncState";

const places: [string, string, string][] = [
  ["", "Journal", "journal"],
  ["search", "Search", "search"],
  ["calendar", "Calendar", "calendar"],
  ["today", "On this day", "today"],
  ["numbers", "Numbers", "numbers"],
];

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
    // A reader of the screen is told the new screen's name; the first screen is announced by the browser.
    if (first.current) first.current = false;
    else main.current?.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }, [screen]);
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
          <li class="place-account">
            <a href="#/account" aria-current={here("account")}>
              <Icon name="account" />
              <span>Account</span>
            </a>
          </li>
        </ul>
        <SyncState />
      </nav>
      <main class="main" id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
