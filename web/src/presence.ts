// The journal is locked when nobody is there. What this page asks by itself keeps nothing open: each request says for how
// long its person had done nothing, and one who only reads is reported now and then.

const REPORT_EVERY = 20_000;
const ACTS = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart", "input"];

let acted = performance.now();
let reported = acted;

/** For how many whole seconds nobody touched this page. */
export const idleSeconds = () => {
  reported = performance.now();
  return Math.floor((reported - acted) / 1000);
};

/** Have somebody told that a person is there while they do something for which nothing is asked. */
export function watchPresence(report: () => void) {
  const act = () => {
    acted = performance.now();
    if (acted - reported > REPORT_EVERY) report();
  };
  for (const name of ACTS) addEventListener(name, act, { capture: true, passive: true });
}
