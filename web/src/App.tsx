import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { admitted, locked } from "./api";
import { Account } from "./account/Account";
import { FirstRun } from "./account/FirstRun";
import { Lock, NotOpened } from "./account/Lock";
import { Numbers } from "./account/Numbers";
import { Calendar } from "./read/Calendar";
import { Deleted } from "./read/Deleted";
import { History } from "./read/History";
import { OnThisDay } from "./read/OnThisDay";
import { Reading } from "./read/Reading";
import { Timeline } from "./read/Timeline";
import { route } from "./router";
import { listen, notice, refresh, state } from "./state";
import { Help, useKeys } from "./ui/Help";
import { Conflicts, Import, Inbox, Publish, Writer, loadWriter } from "./parts";
import { Shell } from "./ui/Shell";

function screen(parts: string[]): VNode {
  const [first, second, third] = parts;
  switch (first) {
    case "write":
      return second === "draft" ? <Writer key={third!} draft={third!} /> : second === "day" ? <Writer key={third!} day={third!} /> : <Writer key={second ?? "new"} {...(second ? { id: second } : {})} />;
    case "entry":
      if (third === "publish") return <Publish key={second!} id={second!} />;
      return third === "history" ? <History key={second!} id={second!} /> : <Reading key={second!} id={second!} />;
    case "calendar":
      return <Calendar year={Number(second) || new Date().getFullYear()} />;
    case "day":
      return <Timeline key={`day ${second}`} day={second!} />;
    case "today":
      return <OnThisDay />;
    case "numbers":
      return <Numbers />;
    case "deleted":
      return <Deleted />;
    case "conflicts":
      return <Conflicts key={second ?? ""} {...(second ? { id: second } : {})} />;
    case "import":
      return <Import />;
    case "inbox":
      return <Inbox />;
    case "account":
      return <Account part={second ?? ""} />;
    case "search":
      return <Timeline key="search" searching />;
    default:
      return <Timeline key="all" />;
  }
}

/** What one may want before the first entry. */
const ELSEWHERE = new Set(["account", "import"]);

export function App() {
  const failed = useSignal(false);
  useEffect(() => {
    refresh().then(
      () => listen(),
      () => (failed.value = true),
    );
    const idle = window.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 300));
    idle(() => loadWriter());
  }, []);
  useKeys();

  if (!admitted.value) return <NotOpened />;
  if (locked.value) return <Lock />;
  if (!state.value) return failed.value ? <NotOpened /> : (
    <div class="starting">
      <img src="./leaf.svg" alt="" width="40" height="40" />
    </div>
  );
  const writing = route.value[0] === "write";
  if (state.value.first_run && !writing && !ELSEWHERE.has(route.value[0] ?? "")) return <FirstRun />;
  return (
    <>
      {writing ? <main class="whole">{screen(route.value)}</main> : <Shell>{screen(route.value)}</Shell>}
      <Help />
      <div class="notice" role="status" aria-live="polite">
        {notice.value ? (
          <p>
            {notice.value.text}
            {notice.value.action ? (
              <button
                class="link"
                onClick={() => {
                  notice.value?.action?.run();
                  notice.value = null;
                }}
              >
                {notice.value.action.label}
              </button>
            ) : null}
          </p>
        ) : null}
      </div>
    </>
  );
}
