import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A screen that is fetched when it is first shown, or before, while the page has nothing to do. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  let loaded: ComponentType<Props> | null = null;
  let loading: Promise<ComponentType<Props>> | null = null;
  const ahead = () => (loading ??= load().then((component) => (loaded = component)));
  function Later(props: Props) {
    const [Component, set] = useState<ComponentType<Props> | null>(() => loaded);
    useEffect(() => {
      if (!Component) ahead().then((component) => set(() => component));
    }, []);
    return Component ? <Component {...props} /> : <div aria-busy="true" />;
  }
  return [Later, ahead] as const;
}
