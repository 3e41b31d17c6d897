/**
 * The registration of the service at a cluster of Restate, which may still be
 * starting. Again is the same as once.
 *
 * @module
 */

import { delay } from "../../../lib/async/delay.ts";
import {
  answers,
  RegistrationError,
  RestateAdmin,
} from "../restate/restate_admin.ts";
import { CHAINS } from "../schema/chains.ts";

/** The addresses of a cluster and of the service. */
export interface RegistrationOptions {
  /** Address of the service, as the nodes reach it. */
  readonly service: string;
  /** Address of the admin API. */
  readonly admin: string;
  /** Addresses of every node's ingress. */
  readonly ingresses: readonly string[];
  /** Milliseconds between two attempts. */
  readonly intervalMs?: number;
}

/** Key of a workflow that nobody starts, whose status is asked for. */
const PROBE = "registration";

/**
 * Registers the service, and waits until every ingress knows its chains: one
 * that does not yet would refuse the first of them.
 *
 * @throws {RegistrationError} With the last reason, when `signal` is aborted.
 */
export async function registerService(
  options: RegistrationOptions,
  signal: AbortSignal,
): Promise<void> {
  const { service, admin, ingresses, intervalMs = 1000 } = options;
  const retried = async (attempt: () => Promise<void>) => {
    let reason: unknown;
    while (!signal.aborted) {
      try {
        return await attempt();
      } catch (error) {
        // An abort is no reason of its own.
        if (!signal.aborted || reason === undefined) reason = error;
      }
      await delay(intervalMs, signal);
    }
    throw reason ?? signal.reason;
  };
  await retried(() => new RestateAdmin(admin).register(service, signal));
  for (const ingress of ingresses) {
    for (const chain of Object.keys(CHAINS)) {
      const url = `${ingress}/${chain}/${PROBE}/status`;
      await retried(async () => {
        if (await answers(url, signal)) return;
        throw new RegistrationError(service, `${url} does not answer`);
      });
    }
  }
}
