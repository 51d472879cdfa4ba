import { signal } from "@preact/signals";
import { idleSeconds } from "./presence";

/** Whether the program on this machine answers. */
export const reachable = signal(true);
/** Whether this browser was let in by the address that `lockleaf app` opened. */
export const admitted = signal(true);
export const locked = signal(false);

/** A request that was not fulfilled, with what the server says about it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly facts: Record<string, unknown> = {},
  ) {
    super(detail);
  }
}

const AWAY = "Lockleaf doesn't answer. Start it again with: lockleaf app";

interface Options {
  body?: unknown;
  raw?: Blob;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  keepalive?: boolean;
}

export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await ask(method, path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** Ask for what is not JSON; the answer is whole when it is there. */
export async function ask(method: string, path: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { ...options.headers };
  if (method !== "GET") headers["X-Lockleaf"] = "1";
  headers["X-Idle"] = String(idleSeconds());
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  else if (options.raw) headers["Content-Type"] = options.raw.type || "application/octet-stream";
  let response: Response;
  try {
    response = await fetch(`./api${path}`, {
      method,
      headers,
      body: options.body !== undefined ? JSON.stringify(options.body) : (options.raw ?? null),
      signal: options.signal ?? null,
      keepalive: options.keepalive ?? false,
      cache: "no-store",
    });
  } catch (error) {
    if ((error as Error).name !== "AbortError") reachable.value = false;
    throw (error as Error).name === "AbortError" ? error : new Problem(0, "unreachable", AWAY);
  }
  reachable.value = true;
  if (response.ok) return response;
  const facts = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const code = typeof facts.code === "string" ? facts.code : "failed";
  if (response.status === 401 && code === "not_opened") admitted.value = false;
  if (response.status === 423) locked.value = true;
  const said = [facts.detail ?? facts.title ?? "That didn't work.", facts.hint].filter(Boolean).join(" ");
  throw new Problem(response.status, code, said, facts);
}

export const get = <T>(path: string, signal?: AbortSignal) => call<T>("GET", path, signal ? { signal } : {});
export const post = <T>(path: string, body: unknown = {}, signal?: AbortSignal) =>
  call<T>("POST", path, signal ? { body, signal } : { body });
export const put = <T>(path: string, body: unknown) => call<T>("PUT", path, { body });
export const remove = <T>(path: string) => call<T>("DELETE", path);

/** The words of a failure, for a person. */
export const told = (error: unknown) => (error instanceof Problem ? error.detail : "That didn't work. Try it again.");
