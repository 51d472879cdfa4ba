import { Language, LanguageSupport, defineLanguageFacet } from "@codemirror/language";
import { Parser, type PartialParse, Tree, NodeType } from "@lezer/common";

// Takes the place of @codemirror/lang-html: HTML within a journal's Markdown is shown as the text that it is.
class Plain extends Parser {
  createParse(_input: unknown, _fragments: unknown, ranges: readonly { from: number; to: number }[]): PartialParse {
    const end = ranges.length ? ranges[ranges.length - 1]!.to : 0;
    const start = ranges.length ? ranges[0]!.from : 0;
    return {
      parsedPos: end,
      stoppedAt: null,
      stopAt() {},
      advance: () => new Tree(NodeType.none, [], [], end - start),
    };
  }
}

const facet = defineLanguageFacet();
const plain = new Language(facet, new Plain(), [], "plain");

export const html = () => new LanguageSupport(plain);
export const htmlCompletionSource = () => null;
