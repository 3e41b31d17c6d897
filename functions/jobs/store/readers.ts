/**
 * The limit of event readers: connections that follow jobs, by job and by
 * caller.
 *
 * @module
 */

import { FairShare } from "../../../lib/async/fair_share.ts";
import { UnreadAnswersError } from "../../http/errors/errors.ts";

/** Maximum readers of one job. */
export const MAX_JOB_READERS = 64;

/** Maximum readers of one caller; all callers together have a third more. */
export const MAX_READERS = 192;

/** Retry-After seconds of a refused reader. */
const RETRY_SECONDS = 5;

/** The limits of readers. */
export interface ReaderLimits {
  /** Maximum readers of one job. */
  readonly ofJob: number;
  /** Maximum readers of one caller. */
  readonly ofCaller: number;
}

/** A counter of the connections that follow jobs. */
export class Readers {
  readonly #limits: ReaderLimits;
  readonly #callers: FairShare;
  readonly #jobs = new Map<string, number>();

  /** Creates a counter without readers. */
  constructor(
    limits: ReaderLimits = { ofJob: MAX_JOB_READERS, ofCaller: MAX_READERS },
  ) {
    this.#limits = limits;
    this.#callers = new FairShare(limits.ofCaller);
  }

  /** Returns the number of a job's readers. */
  of(job: string): number {
    return this.#jobs.get(job) ?? 0;
  }

  /**
   * Counts a reader until the returned function is called.
   *
   * @throws {UnreadAnswersError} If the job or the caller has too many.
   */
  enter(caller: string, job: string): () => void {
    const readers = this.of(job);
    if (readers >= this.#limits.ofJob || !this.#callers.take(caller, 1)) {
      throw new UnreadAnswersError(RETRY_SECONDS);
    }
    this.#jobs.set(job, readers + 1);
    return () => {
      this.#callers.release(caller, 1);
      const left = this.of(job) - 1;
      if (left > 0) this.#jobs.set(job, left);
      else this.#jobs.delete(job);
    };
  }
}
