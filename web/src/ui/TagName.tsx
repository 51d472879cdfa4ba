import { useEffect, useRef } from "preact/hooks";
import { colorOf } from "../state";

/** A tag's name behind a dot of its colour. */
export function TagName({ name, color }: { name: string; color?: string }) {
  const dot = useRef<HTMLSpanElement>(null);
  const own = color ?? colorOf(name);
  useEffect(() => dot.current?.style.setProperty("--tag", own), [own]);
  return (
    <span class="tag">
      <span class="dot" ref={dot} aria-hidden="true" />
      <bdi>{name}</bdi>
    </span>
  );
}
