import { HighlightStyle, syntaxTree } from "@codemirror/language";
import { type EditorState, type Range, RangeSetBuilder } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate, WidgetType } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";

// Text looks as it will be read while its marks stay where they were typed, dimmed. Headings hang their marks in the
// margin, links hide their address until one writes in them, and boxes of tasks can be ticked.

export const looks = HighlightStyle.define([
  { tag: t.heading1, class: "md-h1" },
  { tag: t.heading2, class: "md-h2" },
  { tag: [t.heading3, t.heading4, t.heading5, t.heading6], class: "md-h3" },
  { tag: t.strong, class: "md-strong" },
  { tag: t.emphasis, class: "md-em" },
  { tag: t.strikethrough, class: "md-strike" },
  { tag: t.link, class: "md-link" },
  { tag: t.url, class: "md-url" },
  { tag: t.monospace, class: "md-code" },
  { tag: t.quote, class: "md-quote" },
  { tag: [t.processingInstruction, t.contentSeparator], class: "md-mark" },
]);

export const theme = EditorView.theme({
  "&": { fontSize: "inherit" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "inherit", lineHeight: "inherit", overflow: "visible" },
  ".cm-content": { padding: "0", caretColor: "var(--accent)", fontFamily: "inherit" },
  ".cm-line": { paddingTop: "0", paddingBottom: "0" },
  ".cm-cursor, .cm-dropCursor": { borderLeft: "2px solid var(--accent)", marginLeft: "-1px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--selection)",
  },
  ".cm-placeholder": { color: "var(--ink-3)" },
});

class Box extends WidgetType {
  constructor(
    readonly ticked: boolean,
    readonly at: number,
  ) {
    super();
  }
  override eq(other: Box) {
    return other.ticked === this.ticked && other.at === this.at;
  }
  toDOM(view: EditorView) {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "md-task";
    box.checked = this.ticked;
    box.setAttribute("aria-label", "Done");
    box.addEventListener("mousedown", (event) => event.preventDefault());
    box.addEventListener("click", () => {
      view.dispatch({ changes: { from: this.at + 1, to: this.at + 2, insert: this.ticked ? " " : "x" }, userEvent: "input" });
    });
    return box;
  }
  override ignoreEvent() {
    return true;
  }
}

const auto = { attributes: { dir: "auto" } };
const plain = Decoration.line(auto);
const lines: Record<string, Decoration> = {
  ATXHeading1: Decoration.line({ ...auto, class: "md-line-h1" }),
  ATXHeading2: Decoration.line({ ...auto, class: "md-line-h2" }),
  ATXHeading3: Decoration.line({ ...auto, class: "md-line-h3" }),
  Blockquote: Decoration.line({ ...auto, class: "md-line-quote" }),
  FencedCode: Decoration.line({ class: "md-line-code" }),
  HorizontalRule: Decoration.line({ class: "md-line-rule" }),
};
const listLine = [1, 2, 3, 4].map((depth) => Decoration.line({ ...auto, class: `md-line-list md-depth-${depth}` }));
const hanging = Decoration.mark({ class: "md-hang" });
const quoting = Decoration.mark({ class: "md-quote-mark" });
const bullet = Decoration.mark({ class: "md-bullet" });
const hidden = Decoration.replace({});

const within = (state: EditorState, from: number, to: number) =>
  state.selection.ranges.some((range) => range.to >= from && range.from <= to);

function decorate(view: EditorView): DecorationSet {
  const { state } = view;
  const marks: Range<Decoration>[] = [];
  const lineOf = new Map<number, Decoration>();
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = state.doc.lineAt(at);
      lineOf.set(line.from, plain);
      at = line.to + 1;
    }
    let depth = 0;
    syntaxTree(state).iterate({
      from,
      to,
      enter(node) {
        const look = lines[node.name];
        if (look) {
          for (let at = Math.max(node.from, from); at <= Math.min(node.to, to); ) {
            const line = state.doc.lineAt(at);
            lineOf.set(line.from, look);
            at = line.to + 1;
          }
        } else if (node.name === "BulletList" || node.name === "OrderedList") {
          depth += 1;
        } else if (node.name === "ListItem") {
          lineOf.set(state.doc.lineAt(node.from).from, listLine[Math.min(depth, 4) - 1]!);
        } else if (node.name === "HeaderMark" && state.doc.lineAt(node.from).from === node.from) {
          const end = Math.min(node.to + 1, state.doc.lineAt(node.from).to);
          marks.push(hanging.range(node.from, end));
        } else if (node.name === "QuoteMark") {
          marks.push(quoting.range(node.from, node.to));
        } else if (node.name === "ListMark") {
          marks.push(bullet.range(node.from, node.to));
        } else if (node.name === "TaskMarker" && !within(state, node.from, node.to)) {
          const ticked = /x/i.test(state.sliceDoc(node.from, node.to));
          marks.push(Decoration.replace({ widget: new Box(ticked, node.from) }).range(node.from, node.to));
        } else if (node.name === "Link" && !within(state, node.from, node.to)) {
          const text = state.sliceDoc(node.from, node.to);
          const middle = text.lastIndexOf("](");
          if (middle > 1 && !text.includes("\n")) {
            marks.push(hidden.range(node.from, node.from + 1));
            marks.push(hidden.range(node.from + middle, node.to));
          }
        }
      },
      leave(node) {
        if (node.name === "BulletList" || node.name === "OrderedList") depth -= 1;
      },
    });
  }
  const builder = new RangeSetBuilder<Decoration>();
  const all: Range<Decoration>[] = [...marks];
  for (const [at, line] of lineOf) all.push(line.range(at));
  all.sort((a, b) => a.from - b.from || a.value.startSide - b.value.startSide || a.to - b.to);
  for (const one of all) builder.add(one.from, one.to, one.value);
  return builder.finish();
}

export const preview = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = decorate(view);
    }
    update(update: ViewUpdate) {
      // While an input method composes, the text under it is left alone.
      if (update.view.composing && update.docChanged) {
        this.decorations = this.decorations.map(update.changes);
        return;
      }
      if (update.docChanged || update.viewportChanged || update.selectionSet || syntaxTree(update.startState) !== syntaxTree(update.state)) {
        this.decorations = decorate(update.view);
      }
    }
  },
  { decorations: (plugin) => plugin.decorations },
);
