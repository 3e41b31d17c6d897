/**
 * The parts of a chain: children or steps of which a few run at a time, each
 * shown as a step, with the progress of all.
 *
 * @module
 */

import type { ChainState } from "./chain_state.ts";
import { type End, type FanOut, fanOut } from "./fan_out.ts";

/** The parts of a chain. */
export interface Parts<T> extends Omit<FanOut<T>, "ended"> {
  /** Returns the name of the step of a part. */
  readonly name: (index: number) => string;
  /** Returns the fields of the step of a part that succeeded. */
  readonly result?: (value: T, index: number) => PartResult;
  /** Called after the end of each part; a throw ends the chain. */
  readonly ended?: FanOut<T>["ended"];
}

/** The fields of a step that succeeded. */
export interface PartResult {
  /** Text that it produced. */
  readonly text?: string;
  /** Name of the codes that it produced. */
  readonly grid?: string;
}

/** Runs all parts, and returns their ends in the order of their indices. */
export async function runEach<T>(
  state: ChainState,
  { name, result, ended, start, ...limits }: Parts<T>,
): Promise<readonly End<T>[]> {
  const ends: End<T>[] = [];
  const progress = { done: 0, failed: 0, total: limits.count };
  state.progress({ ...progress });
  await fanOut<T>({
    ...limits,
    start: (index) => {
      state.step({ name: name(index), status: "running" });
      return start(index);
    },
    ended: async (end) => {
      const { index, value, failure } = end;
      ends[index] = end;
      progress[failure === undefined ? "done" : "failed"]++;
      state.step({
        name: name(index),
        ...failure === undefined
          ? { status: "succeeded", ...result?.(value, index) }
          : { status: "failed", text: failure.message },
      });
      state.progress({ ...progress });
      await ended?.(end);
    },
  });
  return ends;
}
