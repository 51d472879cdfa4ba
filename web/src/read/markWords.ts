/** Mark in a rendered text the words that a search looked for, as far as they begin alike. */
export function markWords(root: HTMLElement, query: string) {
  const words = (query.match(/(?<![-\p{L}\p{N}:])[\p{L}\p{N}]{2,}(?![\p{L}\p{N}]*:)/gu) ?? []).filter((word) => !/^(and|or|not)$/i.test(word));
  if (!words.length) return;
  const stems = words.map((word) => (word.length > 5 ? word.slice(0, -2) : word.length > 3 ? word.slice(0, -1) : word));
  const any = new RegExp(`(?<![\\p{L}\\p{N}])(?:${stems.join("|")})[\\p{L}\\p{N}]*`, "giu");
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) {
    const parts: (string | HTMLElement)[] = [];
    let at = 0;
    for (const found of text.data.matchAll(any)) {
      const mark = document.createElement("mark");
      mark.textContent = found[0];
      parts.push(text.data.slice(at, found.index), mark);
      at = found.index + found[0].length;
    }
    if (parts.length) text.replaceWith(...parts, text.data.slice(at));
  }
}

/** Show the tasks of a list as boxes. */
export function tickBoxes(root: HTMLElement) {
  for (const item of root.querySelectorAll("li")) {
    const first = (item.firstChild instanceof Text ? item.firstChild : item.firstElementChild?.firstChild) as Text | null;
    const found = first instanceof Text ? /^\s*\[([ xX])\]\s/.exec(first.data) : null;
    if (!first || !found) continue;
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "md-task";
    box.checked = found[1] !== " ";
    box.disabled = true;
    box.setAttribute("aria-label", box.checked ? "Done" : "Not done");
    first.data = first.data.slice(found[0].length);
    first.before(box);
    item.classList.add("task");
  }
}
