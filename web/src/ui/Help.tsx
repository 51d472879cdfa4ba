import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { back, go, replace, route } from "../router";
import { Icon } from "./icons";

const shown = signal(false);
export const showHelp = () => (shown.value = true);

const stored = (() => {
  try {
    return localStorage.getItem("letters") !== "off";
  } catch {
    return true;
  }
})();
/** Whether single letters are shortcuts; who dictates or uses a switch can turn them off. */
const letters = signal(stored);

const mac = /Mac|iP(hone|ad)/.test(navigator.platform);
const mod = mac ? "⌘" : "Ctrl";

const keys: [string, [string, string][]][] = [
  ["Anywhere", [["n", "New entry"], ["/", "Search"], ["j  k", "Next, previous entry"], ["Enter", "Open the entry"], ["e", "Edit the entry that is open"], ["g", "The journal"], ["c", "Calendar"], ["t", "On this day"], ["s", "Numbers"], ["a", "Account"], ["Esc", "Back"], ["?", "These keys"]]],
  ["Writing", [[`${mod}  Enter`, "Done"], [`${mod}  B`, "Bold"], [`${mod}  I`, "Italic"], [`${mod}  K`, "Link"], [`${mod}  Alt  1–3`, "Heading"], [`${mod}  Z`, "Undo"], [`${mod}  .`, "Only the page"], ["↑ at the top", "To the title"], ["F1", "These keys"]]],
];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (shown.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [shown.value]);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={() => (shown.value = false)} onClick={(event) => event.target === event.currentTarget && (shown.value = false)}>
      <div class="help-inside">
        <header class="row spread">
          <h2 id="help-title">Keys</h2>
          <button class="quiet icon-button" aria-label="Close" onClick={() => (shown.value = false)}>
            <Icon name="close" />
          </button>
        </header>
        <div class="key-lists">
          {keys.map(([name, list]) => (
            <section key={name}>
              <h3>{name}</h3>
              <dl>
                {list.map(([key, does]) => (
                  <div key={key}>
                    <dt>
                      {key.split("  ").map((part) => (
                        <kbd key={part}>{part}</kbd>
                      ))}
                    </dt>
                    <dd>{does}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={letters.value}
            onChange={(event) => {
              letters.value = event.currentTarget.checked;
              localStorage.setItem("letters", letters.value ? "on" : "off");
            }}
          />
          Single letters are shortcuts
        </label>
      </div>
    </dialog>
  );
}

/** What the keys do that no field takes. */
export function useKeys() {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "F1") {
        event.preventDefault();
        showHelp();
        return;
      }
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const target = event.composedPath()[0] as HTMLElement;
      const typing = target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
      const [first, second] = route.value;
      if (document.querySelector("dialog[open]")) return;
      if (event.key === "Escape" && first && first !== "write") {
        back();
        return;
      }
      if (typing || !letters.value) return;
      const places: Record<string, string> = { n: "write", "/": "search", g: "", c: "calendar", t: "today", s: "numbers", a: "account" };
      if (event.key === "?") showHelp();
      else if (event.key === "e" && first === "entry" && second) replace(`write/${second}`);
      else if (event.key in places && first !== "write") go(places[event.key]!);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}
