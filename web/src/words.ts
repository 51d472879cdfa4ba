const segmenter = typeof Intl.Segmenter === "function" ? new Intl.Segmenter(undefined, { granularity: "word" }) : null;
const unspaced = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]/;

/** Count the words of a text: by spaces, and by the browser's dictionary where a script has none. */
export function wordsIn(text: string): number {
  if (segmenter && unspaced.test(text)) {
    let count = 0;
    for (const part of segmenter.segment(text)) if (part.isWordLike) count += 1;
    return count;
  }
  return text.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}'’_-]*/gu)?.length ?? 0;
}

export const plural = (count: number, one: string, many = `${one}s`) => `${count.toLocaleString()} ${count === 1 ? one : many}`;
