export type Piece = { kind: "same" | "added" | "removed"; text: string };

const tokens = (text: string) => text.match(/\n|[^\S\n]+|[\p{L}\p{N}\p{M}'’_-]+|[^\s]/gu) ?? [];

/** What turns one text into another, word by word (Myers' algorithm; where texts have next to nothing in common, whole). */
export function difference(before: string, after: string): Piece[] {
  const a = tokens(before);
  const b = tokens(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const left = a.slice(head, a.length - tail);
  const right = b.slice(head, b.length - tail);
  const pieces: Piece[] = [];
  const add = (kind: Piece["kind"], text: string) => {
    const last = pieces[pieces.length - 1];
    if (!text) return;
    if (last?.kind === kind) last.text += text;
    else pieces.push({ kind, text });
  };
  add("same", a.slice(0, head).join(""));
  for (const [kind, text] of middle(left, right)) add(kind, text);
  add("same", a.slice(a.length - tail).join(""));
  return pieces;
}

function middle(a: string[], b: string[]): [Piece["kind"], string][] {
  const max = a.length + b.length;
  const most = Math.min(max, 1200);
  const trace: Int32Array[] = [];
  const v = new Int32Array(2 * most + 3);
  const mid = most + 1;
  for (let d = 0; d <= most; d += 1) {
    trace.push(v.slice());
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && v[mid + k - 1]! < v[mid + k + 1]!) ? v[mid + k + 1]! : v[mid + k - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      v[mid + k] = x;
      if (x >= a.length && x - k >= b.length) return walk(a, b, trace, d, mid);
    }
  }
  return [["removed", a.join("")], ["added", b.join("")]];
}

function walk(a: string[], b: string[], trace: Int32Array[], depth: number, mid: number) {
  const found: [Piece["kind"], string][] = [];
  let x = a.length;
  let y = b.length;
  for (let d = depth; d > 0; d -= 1) {
    const v = trace[d]!;
    const k = x - y;
    const from = k === -d || (k !== d && v[mid + k - 1]! < v[mid + k + 1]!) ? k + 1 : k - 1;
    const beforeX = v[mid + from]!;
    const beforeY = beforeX - from;
    while (x > beforeX && y > beforeY) {
      found.push(["same", a[x - 1]!]);
      x -= 1;
      y -= 1;
    }
    if (x === beforeX) found.push(["added", b[beforeY]!]);
    else found.push(["removed", a[beforeX]!]);
    x = beforeX;
    y = beforeY;
  }
  while (x > 0) found.push(["same", a[(x -= 1)]!]);
  return found.reverse();
}
