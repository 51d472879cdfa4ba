import { useMemo } from "preact/hooks";
import { difference } from "./diff";

/** A text with what was taken out and put in, for eye and ear. */
export function Difference({ before, after }: { before: string; after: string }) {
  const pieces = useMemo(() => difference(before, after), [before, after]);
  return (
    <div class="difference prose" dir="auto">
      {pieces.map((piece, index) =>
        piece.kind === "same" ? (
          <span key={index}>{piece.text}</span>
        ) : piece.kind === "added" ? (
          <ins key={index}>{piece.text}</ins>
        ) : (
          <del key={index}>{piece.text}</del>
        ),
      )}
    </div>
  );
}
