import { StyleModule } from "style-mod";

// CodeMirror puts its rules into a <style> element, which `style-src 'self'` forbids. style-mod can put them into a
// constructed style sheet, which no policy of content forbids since no markup can make one; but it does so in shadow
// roots alone. Here the document is shown to it as one.
const adopting = {
  ownerDocument: document,
  get adoptedStyleSheets() {
    return document.adoptedStyleSheets;
  },
  set adoptedStyleSheets(sheets) {
    document.adoptedStyleSheets = sheets;
  },
} as unknown as ShadowRoot;

const mount = StyleModule.mount;
StyleModule.mount = (root, modules, options) =>
  mount.call(StyleModule, root === document ? adopting : root, modules, options);
