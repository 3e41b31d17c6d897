/**
 * The attack: one kind of request that a server must bear, in random sizes and
 * shapes.
 *
 * @module
 */

/** The server, as an attacker sees it. */
export interface Target {
  /** Base of its URLs. */
  readonly url: string;
  /** Address for raw sockets. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Key that is shown; undefined for none. */
  readonly key?: string | undefined;
  /** Numbers of 0 to 1, the same for the same seed. */
  readonly random: () => number;
}

/** A kind of attack. */
export interface Attack {
  /** The kind, for reports. */
  readonly name: string;
  /** Statuses that the server may answer with. */
  readonly allowed: readonly number[];
  /**
   * Slowest `/livez` of 99 in 100 meanwhile, in milliseconds, where the attack is
   * a flood of requests as such; undefined for as in all others.
   */
  readonly livezMs?: number;
  /** Attacks once, bounded in count and time; returns the statuses seen. */
  readonly run: (target: Target) => Promise<readonly number[]>;
}

/** Refusals for lack of room, which any attack may meet. */
export const BUSY = [429, 503];

/** Returns a whole number from `least` to `most`, small ones as often as large. */
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

/** Headers that show the target's key. */
export function keyHeaders({ key }: Target): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

/** Time after which an attacker gives up, in milliseconds. */
const PATIENCE_MS = 120_000;

/**
 * Sends a request and reads its answer.
 *
 * @returns Its status; 0 where the connection was closed instead.
 */
export async function ask(
  target: Target,
  path: string,
  init: RequestInit & { readonly headers?: Record<string, string> } = {},
): Promise<number> {
  try {
    const answer = await fetch(`${target.url}${path}`, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...init,
      headers: { ...keyHeaders(target), ...init.headers },
    });
    await answer.body?.pipeTo(new WritableStream());
    return answer.status;
  } catch {
    return 0;
  }
}

/** Sends JSON, as text so that any shape is possible. */
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

/** Runs `count` tasks at once. */
export async function together(
  count: number,
  task: (index: number) => Promise<number>,
): Promise<number[]> {
  return await Promise.all(Array.from({ length: count }, (_, i) => task(i)));
}

/** Opens a connection and sends `parts`, one after the other. */
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
    // It was closed from the other side.
  }
  return connection;
}

/** Closes what may be closed already. */
export function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // By the other side.
  }
}

/** Waits. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
