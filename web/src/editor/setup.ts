import "./adopt-styles";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { markdown, markdownKeymap, markdownLanguage } from "@codemirror/lang-markdown";
import { syntaxHighlighting } from "@codemirror/language";
import { Annotation, Compartment, EditorSelection, EditorState, Prec, type StateCommand } from "@codemirror/state";
import { EditorView, drawSelection, dropCursor, keymap, placeholder } from "@codemirror/view";
import { GFM } from "@lezer/markdown";
import { arrive, arriving, giveUp, keepPlace } from "./arriving";
import { looks, preview, theme } from "./preview";
import { pictures, showPictures } from "./pictures";
import { typewriter } from "./typewriter";

/** Marks a change that came from elsewhere (another tab, a merge), which is not the writer's own. */
export const fromElsewhere = Annotation.define<boolean>();

/** Put marks around what is selected, or take them away. */
function around(mark: string): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const size = mark.length;
    const spec = state.changeByRange((range) => {
      const before = state.sliceDoc(range.from - size, range.from);
      const after = state.sliceDoc(range.to, range.to + size);
      if (before === mark && after === mark) {
        return {
          changes: [{ from: range.from - size, to: range.from }, { from: range.to, to: range.to + size }],
          range: EditorSelection.range(range.from - size, range.to - size),
        };
      }
      return {
        changes: [{ from: range.from, insert: mark }, { from: range.to, insert: mark }],
        range: EditorSelection.range(range.from + size, range.to + size),
      };
    });
    dispatch(state.update(spec, { scrollIntoView: true, userEvent: "input" }));
    return true;
  };
}

const link: StateCommand = ({ state, dispatch }) => {
  const { from, to } = state.selection.main;
  const text = state.sliceDoc(from, to);
  const at = from + text.length + 3;
  dispatch(
    state.update({ changes: { from, to, insert: `[${text}]()` }, selection: { anchor: text ? at : from + 1 }, userEvent: "input" }),
  );
  return true;
};

/** Make the line a heading of a level, or a plain one if it is that already. */
const heading =
  (level: number): StateCommand =>
  ({ state, dispatch }) => {
    const line = state.doc.lineAt(state.selection.main.head);
    const marks = /^#{1,6}\s+/.exec(line.text)?.[0] ?? "";
    const wanted = `${"#".repeat(level)} `;
    const insert = marks === wanted ? "" : wanted;
    dispatch(state.update({ changes: { from: line.from, to: line.from + marks.length, insert }, userEvent: "input" }));
    return true;
  };

export interface Writing {
  parent: HTMLElement;
  body: string;
  label: string;
  hint: string;
  onChange: (body: string) => void;
  onDone: () => void;
  /** Files were given, for the place that was pointed at, or that of the cursor. */
  onFiles: (files: File[], at: number) => void;
  onUp: () => void;
}

export interface Page {
  view: EditorView;
  /** Show another text without moving the writer's place more than needed. */
  replace: (body: string) => void;
  /** Where in the text something is that was dropped on the page; without an event, where the cursor is. */
  placeOf: (dropped?: DragEvent) => number;
  /** Keep a place in the text for a file that is on its way, and return its number. */
  keepPlace: (name: string, at: number) => number;
  /** Put a text in the place that was kept: as a paragraph of its own, or within the line. */
  arrive: (place: number, text: string, own: boolean) => Promise<void>;
  giveUp: (place: number) => void;
  pictures: (urls: Map<string, string>) => void;
  typewriter: (on: boolean) => void;
  destroy: () => void;
}

const files = (list: FileList | undefined | null) => (list ? [...list].filter((file) => file.size > 0 || file.type) : []);

export function openEditor(writing: Writing): Page {
  const typing = new Compartment();
  const view = new EditorView({
    parent: writing.parent,
    state: EditorState.create({
      doc: writing.body,
      selection: { anchor: writing.body.length },
      extensions: [
        history(),
        drawSelection({ cursorBlinkRate: 1100 }),
        dropCursor(),
        EditorView.lineWrapping,
        EditorView.perLineTextDirection.of(true),
        EditorState.tabSize.of(4),
        markdown({ base: markdownLanguage, extensions: GFM, addKeymap: false, completeHTMLTags: false, pasteURLAsLink: true }),
        syntaxHighlighting(looks),
        theme,
        preview,
        pictures,
        arriving,
        placeholder(writing.hint),
        typing.of([]),
        Prec.high(
          keymap.of([
            { key: "Mod-b", run: around("**") },
            { key: "Mod-i", run: around("*") },
            { key: "Mod-Shift-x", run: around("~~") },
            { key: "Mod-e", run: around("`") },
            { key: "Mod-k", run: link },
            ...[1, 2, 3].map((level) => ({ key: `Mod-Alt-${level}`, run: heading(level) })),
            { key: "Mod-Enter", run: () => (writing.onDone(), true) },
            { key: "Mod-s", run: () => (writing.onDone(), true), preventDefault: true },
            {
              key: "ArrowUp",
              run: ({ state }) => {
                const { main } = state.selection;
                if (!main.empty || state.doc.lineAt(main.head).number > 1 || main.head > 0) return false;
                writing.onUp();
                return true;
              },
            },
          ]),
        ),
        keymap.of([...markdownKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.contentAttributes.of({
          "aria-label": writing.label,
          "aria-multiline": "true",
          spellcheck: "false", // some browsers send what is written to their maker to check it
          autocapitalize: "sentences",
          autocorrect: "on",
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((one) => one.annotation(fromElsewhere))) {
            writing.onChange(update.state.doc.toString());
          }
        }),
        EditorView.domEventHandlers({
          paste(event) {
            const given = files(event.clipboardData?.files);
            if (!given.length || event.clipboardData?.types.includes("text/plain")) return false;
            event.preventDefault();
            writing.onFiles(given, placeOf());
            return true;
          },
          drop(event) {
            const given = files(event.dataTransfer?.files);
            if (!given.length) return false;
            event.preventDefault();
            writing.onFiles(given, placeOf(event));
            return true;
          },
        }),
      ],
    }),
  });

  const placeOf = (dropped?: DragEvent) =>
    dropped ? view.posAtCoords({ x: dropped.clientX, y: dropped.clientY }, false) : view.state.selection.main.head;

  return {
    view,
    replace(body) {
      const now = view.state.doc.toString();
      if (now === body) return;
      let from = 0;
      while (from < now.length && from < body.length && now[from] === body[from]) from += 1;
      let tail = 0;
      while (tail < now.length - from && tail < body.length - from && now[now.length - 1 - tail] === body[body.length - 1 - tail]) tail += 1;
      view.dispatch({
        changes: { from, to: now.length - tail, insert: body.slice(from, body.length - tail) },
        annotations: fromElsewhere.of(true),
      });
    },
    placeOf,
    keepPlace: (name, at) => keepPlace(view, name, at),
    arrive: (place, text, own) => arrive(view, place, text, own),
    giveUp: (place) => giveUp(view, place),
    pictures: (urls) => view.dispatch({ effects: showPictures.of(urls) }),
    typewriter: (on) => view.dispatch({ effects: typing.reconfigure(on ? typewriter : []) }),
    destroy: () => view.destroy(),
  };
}
