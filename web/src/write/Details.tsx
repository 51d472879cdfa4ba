import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api";
import { clockOf, hasTime, longDay, stamped, timeOf, zone } from "../dates";
import type { Fields } from "../types";
import { Icon } from "../ui/icons";
import { Mood } from "./Mood";
import { TagsField } from "./TagsField";

type Change = (part: Partial<Fields>) => void;

/** The line under the title: when, how one felt, tags; and what else may be noted, folded away. */
export function Details({ fields, change }: { fields: Fields; change: Change }) {
  const open = useSignal<"when" | "mood" | "more" | null>(null);
  const toggle = (part: "when" | "mood" | "more") => (open.value = open.value === part ? null : part);
  const filled = Object.keys(fields.metrics).length > 0 || fields.weather || fields.location;
  const when = fields.entry_date ?? stamped(new Date());
  return (
    <div class="details">
      <div class="details-line">
        <button class="quiet" aria-expanded={open.value === "when"} onClick={() => toggle("when")}>
          {longDay(when)}
          {hasTime(when) ? <span class="dim"> {timeOf(when)}</span> : null}
        </button>
        <button class="quiet" aria-expanded={open.value === "mood"} onClick={() => toggle("mood")}>
          {fields.mood ? <bdi>{fields.mood}</bdi> : <><Icon name="smile" size={17} /> Mood</>}
        </button>
        <TagsField tags={fields.tags} change={(tags) => change({ tags })} />
        <button class="quiet" aria-expanded={open.value === "more"} onClick={() => toggle("more")}>
          <Icon name="details" size={17} /> {filled ? "Details" : "More"}
        </button>
      </div>
      {open.value === "when" ? <When when={when} change={change} /> : null}
      {open.value === "mood" ? (
        <Mood
          mood={fields.mood}
          choose={(mood) => {
            change({ mood });
            open.value = null;
          }}
        />
      ) : null}
      {open.value === "more" ? <More fields={fields} change={change} /> : null}
    </div>
  );
}

function When({ when, change }: { when: string; change: Change }) {
  return (
    <div class="panel row">
      <label>
        Date and time
        <input
          type="datetime-local"
          autocomplete="off"
          value={clockOf(when)}
          onChange={(event) => {
            const chosen = new Date(event.currentTarget.value);
            if (!Number.isNaN(chosen.getTime())) change({ entry_date: stamped(chosen), time_zone: zone() });
          }}
        />
      </label>
      <button onClick={() => change({ entry_date: stamped(new Date()), time_zone: zone() })}>Now</button>
      {hasTime(when) ? (
        <button class="quiet" onClick={() => change({ entry_date: when.slice(0, 10), time_zone: null })}>
          Without a time
        </button>
      ) : null}
    </div>
  );
}

function More({ fields, change }: { fields: Fields; change: Change }) {
  const names = useSignal<string[]>([]);
  const name = useSignal("");
  useEffect(() => {
    get<{ metrics: Record<string, unknown> }>("/numbers").then(
      (found) => (names.value = Object.keys(found.metrics)),
      () => {},
    );
  }, []);
  const shown = [...new Set([...Object.keys(fields.metrics), ...names.value])].filter((one) => one !== "mood" && one !== "words");
  const set = (metric: string, text: string) => {
    const metrics = { ...fields.metrics };
    const value = Number(text.replace(",", "."));
    if (text.trim() === "" || Number.isNaN(value)) delete metrics[metric];
    else metrics[metric] = value;
    change({ metrics });
  };
  const add = () => {
    const fresh = name.value.trim().toLowerCase().replace(/\s+/g, "_");
    if (fresh && !names.value.includes(fresh)) names.value = [...names.value, fresh];
    name.value = "";
  };
  return (
    <div class="panel">
      <div class="row">
        <label>
          Place
          <input type="text" dir="auto" autocomplete="off" value={fields.location ?? ""} onInput={(event) => change({ location: event.currentTarget.value || null })} />
        </label>
        <label>
          Weather
          <input type="text" dir="auto" autocomplete="off" value={fields.weather ?? ""} onInput={(event) => change({ weather: event.currentTarget.value || null })} />
        </label>
      </div>
      <div class="row">
        {shown.map((metric) => (
          <label key={metric} class="metric">
            {metric.replaceAll("_", " ")}
            <input type="text" inputMode="decimal" autocomplete="off" value={fields.metrics[metric] ?? ""} onChange={(event) => set(metric, event.currentTarget.value)} />
          </label>
        ))}
        <label class="metric">
          New number
          <input
            type="text"
            autocomplete="off"
            placeholder="sleep hours"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && !event.isComposing) add();
            }}
            onBlur={add}
          />
        </label>
      </div>
    </div>
  );
}
