/**
 * The list of all chains, for the server that forwards requests to them and for
 * its description: names, words and schemas, without their code.
 *
 * @module
 */

import type * as v from "valibot";
import { ImagineInput, ImagineOutput } from "./imagine.ts";

/** A description of a chain. */
export interface ChainInfo {
  /** Sentence that describes it. */
  readonly description: string;
  /** Schema of its input. */
  readonly input: v.GenericSchema;
  /** Schema of its output. */
  readonly output: v.GenericSchema;
}

/** All chains by name, in the order in which they are listed. */
export const CHAINS = {
  imagine: {
    description:
      "Draws a prompt, captions the picture, and compares both with the prompt.",
    input: ImagineInput,
    output: ImagineOutput,
  },
} as const satisfies Readonly<Record<string, ChainInfo>>;

/** A name of a chain. */
export type ChainName = keyof typeof CHAINS;
