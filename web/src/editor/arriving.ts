import { isolateHistory } from "@codemirror/commands";
import { type EditorState, StateEffect, StateField, Transaction } from "@codemirror/state";
import { Decoration, EditorView, WidgetType } from "@codemirror/view";

interface Arriving {
  id: number;
  name: string;
  at: number;
}

const begin = StateEffect.define<Arriving>();
const end = StateEffect.define<number>();

class Waiting extends WidgetType {
  constructor(readonly name: string) {
    super();
  }
  override eq(other: Waiting) {
    return other.name === this.name;
  }
  toDOM() {
    const chip = document.createElement("span");
    chip.className = "md-arriving";
    chip.textContent = `${this.name} …`;
    return chip;
  }
}

/** The files on their way into the text, each with its place, which moves as the text around it is edited. */
export const arriving = StateField.define<Arriving[]>({
  create: () => [],
  update(places, transaction) {
    let now = places;
    const ended = transaction.effects.find((effect) => effect.is(end))?.value;
    if (transaction.docChanged && now.length) {
      const after = now.findIndex((one) => one.id === ended);
      // What is typed at a place follows it. What arrives at one stands before those that were given later.
      now = now.map((one, index) => ({ ...one, at: transaction.changes.mapPos(one.at, after >= 0 && index > after ? 1 : -1) }));
    }
    for (const effect of transaction.effects) {
      if (effect.is(begin)) now = [...now, effect.value];
      else if (effect.is(end)) now = now.filter((one) => one.id !== effect.value);
    }
    return now;
  },
  provide: (field) =>
    EditorView.decorations.from(field, (places) =>
      Decoration.set(
        places.map((one) => Decoration.widget({ widget: new Waiting(one.name), side: -1 }).range(one.at)),
        true,
      ),
    ),
});

let last = 0;

/** Keep a place for a file that is on its way; in the middle of a word that is the nearer end of it. */
export function keepPlace(view: EditorView, name: string, at: number): number {
  const word = view.state.wordAt(at);
  const place = word && at > word.from && at < word.to ? (at - word.from < word.to - at ? word.from : word.to) : at;
  last += 1;
  view.dispatch({ effects: begin.of({ id: last, name, at: place }) });
  return last;
}

/** Give a place up: what it was kept for does not come. */
export function giveUp(view: EditorView, id: number) {
  view.dispatch({ effects: end.of(id) });
}

const BLANK = /[ \t]/;

/** Where a picture goes as a paragraph of its own, and with which line breaks around it. */
function paragraph(state: EditorState, at: number, text: string) {
  const { doc } = state;
  const line = doc.lineAt(at);
  let from = at;
  let to = at;
  while (from > line.from && BLANK.test(doc.sliceString(from - 1, from))) from -= 1;
  while (to < line.to && BLANK.test(doc.sliceString(to, to + 1))) to += 1;
  const filled = (number: number) => number >= 1 && number <= doc.lines && doc.line(number).length > 0;
  const before = from > line.from ? "\n\n" : filled(line.number - 1) ? "\n" : "";
  const after = to < line.to || line.number === doc.lines ? "\n\n" : filled(line.number + 1) ? "\n" : "";
  return { from, to, insert: before + text + after };
}

/** Where a link goes within a line, with a space where it would touch a word. */
function inline(state: EditorState, at: number, text: string) {
  const touches = (from: number, to: number) => /\S/.test(state.doc.sliceString(Math.max(0, from), Math.min(state.doc.length, to)));
  return { from: at, to: at, insert: (touches(at - 1, at) ? " " : "") + text + (touches(at, at + 1) ? " " : "") };
}

/** Put what has arrived in its place. One undoes that by itself, and the cursor stays where it is. */
export function arrive(view: EditorView, id: number, text: string, own: boolean): Promise<void> {
  // What an input method composes would be torn apart by a change beside it.
  if (view.composing) {
    return new Promise((resolve) =>
      view.contentDOM.addEventListener("compositionend", () => setTimeout(() => resolve(arrive(view, id, text, own))), { once: true }),
    );
  }
  const { state } = view;
  const place = state.field(arriving).find((one) => one.id === id);
  if (place) {
    const changes = state.changes((own ? paragraph : inline)(state, place.at, text));
    view.dispatch({
      changes,
      selection: state.selection.map(changes, 1),
      effects: end.of(id),
      annotations: [isolateHistory.of("full"), Transaction.userEvent.of("input.attachment")],
    });
  }
  return Promise.resolve();
}
