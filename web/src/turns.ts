import { useRef } from "preact/hooks";

type Ask<T> = () => Promise<T>;

/**
 * Ask one question after the other, so that what is shown is the answer to the last one: of two that are on the way
 * at once the first may be answered last. One that only looks is left out where another was asked behind it.
 *
 * Returns what asks a question, and tells once it was answered or left out whether it is still the last one.
 */
export function useTurns() {
  const turns = useRef({ last: Promise.resolve(), asked: 0 });
  return <T>(ask: Ask<T>, take: (answer: T) => void, refuse: (error: unknown) => void, { looks = true } = {}) => {
    const all = turns.current;
    const mine = ++all.asked;
    const isLast = () => mine === all.asked;
    all.last = all.last.then(() => (looks && !isLast() ? undefined : ask().then(take, refuse)));
    return all.last.then(isLast);
  };
}
