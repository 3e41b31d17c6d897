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
    let untold = 0;
    const outcome = await tryToHash(job, (bytes) => {
      untold += bytes;
      if (untold < NEWS_BYTES) return;
      notify(untold);
      untold = 0;
    });
    notify(untold);
    return outcome;
  },
};

/** Type of the methods, for the client. */
export type HashMethods = typeof methods;

serveMethods(methods);
