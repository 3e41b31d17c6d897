/**
 * The thread that hashes files.
 *
 * @module
 */

import {
  type MethodContext,
  serveMethods,
} from "../../../lib/async/worker_methods.ts";
import { type Hashed, type HashJob, tryToHash } from "./hash_file.ts";

/** Bytes between two progress events. */
const NEWS_BYTES = 2 ** 25;

/** Methods of the thread; events are bytes read. */
export const methods = {
  hash: async (
    job: HashJob,
    { notify }: MethodContext<number>,
  ): Promise<Hashed> => {
    let unreported = 0;
    const outcome = await tryToHash(job, (bytes) => {
      unreported += bytes;
      if (unreported < NEWS_BYTES) return;
      notify(unreported);
      unreported = 0;
    });
    notify(unreported);
    return outcome;
  },
};

/** Type of the methods, for the client. */
export type HashMethods = typeof methods;

serveMethods(methods);
