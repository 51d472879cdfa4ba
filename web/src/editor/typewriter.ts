import { type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

/** Keep the line that is written at the middle of the window. */
export const typewriter: Extension = EditorView.updateListener.of((update) => {
  if (!update.docChanged && !update.selectionSet) return;
  if (update.transactions.some((one) => one.isUserEvent("select.pointer"))) return;
  requestAnimationFrame(() => {
    const place = update.view.coordsAtPos(update.state.selection.main.head);
    if (!place) return;
    const away = place.top - innerHeight * 0.45;
    if (Math.abs(away) > 4) scrollBy({ top: away, behavior: "instant" });
  });
});
