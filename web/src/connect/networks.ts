import type { ConnectionView } from "../answers";

export const NAMES: Record<string, string> = { facebook: "Facebook", mastodon: "Mastodon" };
export const networkOf = (one: ConnectionView) => NAMES[one.network] ?? one.network;

/** What a connection is called among others. */
export const nameOf = (one: ConnectionView) => (one.name ? `${one.name}, ${networkOf(one)}` : networkOf(one));

/** A number of bytes, for a person. */
export const sizeOf = (bytes: number) => (bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000)).toLocaleString()} kB` : `${(bytes / 1_000_000).toLocaleString(undefined, { maximumFractionDigits: 1 })} MB`);
