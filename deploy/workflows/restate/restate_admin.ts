/**
 * The administration of a Restate server: its health, the services that it
 * calls, and queries of its tables.
 *
 * @module
 */

import { Emu3Error } from "../../../lib/errors.ts";

/** An error for a service that Restate does not take. */
export class RegistrationError extends Emu3Error {
  /** Creates the error from the address of the service and the reason. */
  constructor(service: string, reason: string, options?: ErrorOptions) {
    super(
      "not-registered",
      `Cannot register ${service} with Restate: ${reason}`,
      options,
    );
  }
}

/** The administration at one address. */
export class RestateAdmin {
  readonly #url: string;

  /**
   * Creates the client; nothing is sent yet.
   *
   * @param url Address of its port, without a slash at its end.
   */
  constructor(url: string) {
    this.#url = url;
  }

  /** Returns true once the server answers. */
  async healthy(signal: AbortSignal): Promise<boolean> {
    return await answers(`${this.#url}/health`, signal);
  }

  /**
   * Registers a service, in place of the one that was at its address: chains
   * that run continue on it.
   *
   * @throws {RegistrationError} If Restate refuses it, or does not reach it.
   */
  async register(service: string, signal: AbortSignal): Promise<void> {
    const response = await fetch(`${this.#url}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri: service, force: true }),
      signal,
    }).catch((cause) => {
      signal.throwIfAborted();
      throw new RegistrationError(service, String(cause), { cause });
    });
    const text = await response.text();
    if (!response.ok) throw new RegistrationError(service, messageOf(text));
  }

  /**
   * Returns the rows of a query, such as of `sys_invocation`.
   *
   * @throws {Error} If the query is not valid.
   */
  async query(
    sql: string,
    signal: AbortSignal,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const response = await fetch(`${this.#url}/query`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
      },
      body: JSON.stringify({ query: sql }),
      signal,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot query Restate: ${text}`);
    return JSON.parse(text).rows;
  }
}

/** Returns true if a GET of `url` succeeds. */
export async function answers(
  url: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const response = await fetch(url, { signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** Returns the message of an error of the administration. */
function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text);
    if (typeof message === "string") return message;
  } catch {
    // A proxy answered.
  }
  return text;
}
