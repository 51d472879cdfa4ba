import { signal } from "@preact/signals";

// Ids and days alone: what a person typed stands in no address, since browsers keep addresses on disk.
const read = () => location.hash.replace(/^#\/?/, "").split("/").filter(Boolean);

export const route = signal<string[]>(read());

type Leaving = () => void;
const leaving = new Set<Leaving>();
/** Have a function called before the screen changes. */
export function onLeave(run: Leaving) {
  leaving.add(run);
  return () => {
    leaving.delete(run);
  };
}

// The screens that lead here within this page: the way back never leaves it.
const trail = [location.hash];

/** Whether the screen was reached by the way back, where one expects to find what one left. */
export let cameBack = false;

addEventListener("hashchange", () => {
  for (const run of [...leaving]) run();
  cameBack = trail[trail.length - 2] === location.hash;
  if (cameBack) trail.pop();
  else if (trail[trail.length - 1] !== location.hash) trail.push(location.hash);
  route.value = read();
});

export const go = (path: string) => {
  location.hash = `#/${path}`;
};

/** Go to another screen, to which the way back shall not lead through this one. */
export const replace = (path: string) => {
  for (const run of [...leaving]) run();
  history.replaceState(null, "", `#/${path}`);
  trail[trail.length - 1] = location.hash;
  route.value = read();
};

export const back = (otherwise = "") => (trail.length > 1 ? history.back() : replace(otherwise));
