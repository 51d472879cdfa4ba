import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, post, told } from "../api";
import { instant } from "../dates";
import { back, go } from "../router";
import { refresh, say, state, touched } from "../state";
import type { Entry, InboxItem, InboxList } from "../types";
import { Icon } from "../ui/icons";
import { plural } from "../words";

/** What arrived from elsewhere and becomes an entry only if one wants it to. */
export function Inbox() {
  const items = useSignal<InboxItem[] | null>(null);
  const failure = useSignal("");
  const busy = useSignal("");
  const waiting = state.value?.counts.inbox ?? 0;
  useEffect(() => {
    get<InboxList>("/inbox").then(
      (found) => (items.value = found.items),
      (error) => (failure.value = told(error)),
    );
  }, [waiting]);
  const decide = async (item: InboxItem, decision: "accept" | "refuse") => {
    if (busy.value) return;
    busy.value = item.id;
    failure.value = "";
    try {
      const answer = await post<Entry>(`/inbox/${item.id}/${decision}`);
      items.value = items.value!.filter((one) => one.id !== item.id);
      await refresh();
      if (decision === "accept") {
        touched([answer.id]);
        say("It is an entry now.", { label: "Open it", run: () => go(`entry/${answer.id}`) });
      } else say("It is gone.");
    } catch (error) {
      failure.value = told(error);
    } finally {
      busy.value = "";
    }
  };
  return (
    <div class="inbox" aria-busy={items.value === null && !failure.value}>
      <div class="bar">
        <button class="quiet icon-button" onClick={() => back("account")} aria-label="Back">
          <Icon name="back" />
        </button>
        <h1 tabIndex={-1} class="small-title">Inbox</h1>
      </div>
      <p class="dim">What came for you from elsewhere. Nobody vouches for who sent it, and it becomes an entry only if you say so.</p>
      {failure.value ? <p class="trouble" role="alert">{failure.value}</p> : null}
      {items.value && !items.value.length ? <p class="nothing">Nothing waits.</p> : null}
      {items.value?.map((item) => (
        <article class="card inbox-item" key={item.id}>
          <p class="dim small row">
            <bdi>{item.provider}</bdi>
            <span>{instant(item.received_at)}</span>
            {item.files ? <span>{plural(item.files, "file")}</span> : null}
          </p>
          <h2 dir="auto">{item.title || (item.readable ? "Without a title" : "This cannot be read here")}</h2>
          <div class="prose rendered" dir="auto" dangerouslySetInnerHTML={{ __html: item.html }} />
          {item.link ? (
            <p class="small">
              <a href={item.link} target="_blank" rel="noopener noreferrer">
                {item.link}
              </a>
            </p>
          ) : null}
          <p class="row">
            {item.readable ? (
              <button class="primary" disabled={Boolean(busy.value)} onClick={() => decide(item, "accept")}>
                Make it an entry
              </button>
            ) : null}
            <button disabled={Boolean(busy.value)} onClick={() => decide(item, "refuse")}>
              Refuse
            </button>
          </p>
        </article>
      ))}
    </div>
  );
}
