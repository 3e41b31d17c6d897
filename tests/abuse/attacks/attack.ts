/**
 * The attack: one kind of request that a server must withstand, in random sizes
 * and shapes.
 *
 * @module
 */

/** The server, as attackers reach it. */
export interface Target {
  /** Base URL. */
  readonly url: string;
  /** Address for raw sockets. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** API key; undefined for none. */
  readonly key?: string | undefined;
  /** Seeded source of numbers from 0 to 1. */
  readonly random: () => number;
}

/** A kind of attack. */
export interface Attack {
  /** Name for reports. */
  readonly name: string;
  /** Statuses that the server may answer with. */
  readonly allowed: readonly number[];
  /**
   * Limit of the 99th percentile of `/livez` in milliseconds, if the attack is
   * a flood of requests; undefined for the common limit.
   */
  readonly livezMs?: number;
  /** Attacks once, bounded in count and time, and returns the statuses. */
  readonly run: (target: Target) => Promise<readonly number[]>;
}

/** Statuses of a busy server, which any attack may receive. */
export const BUSY = [429, 503];

/** Returns a whole number from `least` to `most`, log-uniformly distributed. */
export function size(
  random: () => number,
  least: number,
  most: number,
): number {
  return Math.floor(least * (most / least) ** random());
}

/** Returns one of `values`. */
export function oneOf<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}

/** Returns the headers with the target's key. */
export function keyHeaders({ key }: Target): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

/** Timeout of an attacker, in milliseconds. */
const TIMEOUT_MS = 120_000;

/**
 * Sends a request and reads its answer.
 *
 * @returns Status; 0 if the connection was closed instead.
 */
export async function ask(
  target: Target,
  path: string,
  init: RequestInit & { readonly headers?: Record<string, string> } = {},
): Promise<number> {
  try {
    const answer = await fetch(`${target.url}${path}`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...init,
      headers: { ...keyHeaders(target), ...init.headers },
    });
    await answer.body?.pipeTo(new WritableStream());
    return answer.status;
  } catch {
    return 0;
  }
}

/** Sends JSON as text, so that any shape is possible. */
export function askJson(
  target: Target,
  path: string,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<number> {
  return ask(target, path, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
}

/** Runs `count` tasks concurrently. */
export async function together(
  count: number,
  task: (index: number) => Promise<number>,
): Promise<number[]> {
  return await Promise.all(Array.from({ length: count }, (_, i) => task(i)));
}

/** Opens a connection and sends `parts` in order. */
export async function rawRequest(
  { address }: Target,
  ...parts: readonly (string | Uint8Array)[]
): Promise<Deno.TcpConn> {
  const connection = await Deno.connect(address);
  try {
    for (const part of parts) {
      let left = typeof part === "string"
        ? new TextEncoder().encode(part)
        : part;
      while (left.length > 0) {
        left = left.subarray(await connection.write(left));
      }
    }
  } catch {
    // The peer closed the connection.
  }
  return connection;
}

/** Closes a connection that may be closed already. */
export function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // The peer closed it.
  }
}

/** Resolves after the given milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
