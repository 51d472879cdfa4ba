import { syntaxTree } from "@codemirror/language";
import { type EditorState, type Range, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";

/** The pictures of the entry, by the names under which its text speaks of them. */
export const showPictures = StateEffect.define<Map<string, string>>();

class Picture extends WidgetType {
  constructor(
    readonly url: string,
    readonly alt: string,
  ) {
    super();
  }
  override eq(other: Picture) {
    return other.url === this.url && other.alt === this.alt;
  }
  toDOM() {
    const frame = document.createElement("div");
    frame.className = "md-picture";
    const image = document.createElement("img");
    image.src = this.url;
    image.alt = this.alt;
    image.decoding = "async";
    frame.append(image);
    return frame;
  }
}

function decorate(state: EditorState, urls: Map<string, string>): DecorationSet {
  if (!urls.size) return Decoration.none;
  const found: Range<Decoration>[] = [];
  syntaxTree(state).iterate({
    enter(node) {
      if (node.name !== "Image") return;
      const match = /^!\[([^\]]*)\]\(attachment:([^)\s]+)\)$/.exec(state.sliceDoc(node.from, node.to));
      let name = match?.[2];
      if (!match || !name) return;
      try {
        name = decodeURIComponent(name);
      } catch {
        return;
      }
      const url = urls.get(name);
      const end = state.doc.lineAt(node.to).to;
      if (url) found.push(Decoration.widget({ widget: new Picture(url, match[1] || name), side: 1, block: true }).range(end));
    },
  });
  return Decoration.set(found, true);
}

interface Shown {
  urls: Map<string, string>;
  decorations: DecorationSet;
}

export const pictures = StateField.define<Shown>({
  create: () => ({ urls: new Map(), decorations: Decoration.none }),
  update(shown, transaction) {
    let { urls } = shown;
    for (const effect of transaction.effects) if (effect.is(showPictures)) urls = effect.value;
    if (urls === shown.urls && !transaction.docChanged) return shown;
    return { urls, decorations: decorate(transaction.state, urls) };
  },
  provide: (field) => EditorView.decorations.from(field, (shown) => shown.decorations),
});
