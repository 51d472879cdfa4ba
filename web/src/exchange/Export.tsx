import { useSignal } from "@preact/signals";
import { ask } from "../api";
import { say } from "../state";
import type { Filter } from "../types";
import { Form } from "../account/forms";
import { plural } from "../words";

const FORMS: [string, string][] = [
  ["markdown", "Markdown, a file an entry"],
  ["html", "Pages to print"],
  ["json", "JSON"],
  ["dayone", "Day One"],
];

/** What the list shows, as a file in plain text. */
export function Export({ filter, done }: { filter: Filter; done: () => void }) {
  const form = useSignal("markdown");
  return (
    <section class="panel exporting" aria-label="Export">
      <Form
        label="Save the file"
        send={async () => {
          const answer = await ask("POST", "/export", { body: { ...filter, format: form.value } });
          const missing = Number(answer.headers.get("X-Missing") ?? 0);
          const link = document.createElement("a");
          link.href = URL.createObjectURL(await answer.blob());
          link.download = "journal.zip";
          link.click();
          setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
          const count = plural(Number(answer.headers.get("X-Entries") ?? 0), "entry", "entries");
          say(missing ? `${count} exported; ${plural(missing, "file")} could not be had.` : `${count} exported.`);
          done();
        }}
      >
        <label>
          As
          <select autocomplete="off" value={form.value} onChange={(event) => (form.value = event.currentTarget.value)}>
            {FORMS.map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <p class="dim small">It is in plain text: whoever has the file can read it.</p>
      </Form>
    </section>
  );
}
