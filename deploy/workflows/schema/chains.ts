/**
 * The list of all chains, for the server that forwards requests to them and for
 * its description: names, words and schemas, without their code.
 *
 * @module
 */

import type * as v from "valibot";
import { AlbumInput, AlbumOutput } from "./album.ts";
import { BestOfInput, BestOfOutput } from "./best_of.ts";
import { DrawInput, DrawOutput } from "./draw.ts";
import { ImagineInput, ImagineOutput } from "./imagine.ts";
import { PrepareInput, PrepareOutput } from "./prepare.ts";
import { RefineInput, RefineOutput } from "./refine.ts";
import { RemixInput, RemixOutput } from "./remix.ts";

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
  draw: {
    description:
      "Draws a prompt, and scores and captions the picture on request.",
    input: DrawInput,
    output: DrawOutput,
  },
  "best_of": {
    description:
      "Draws a prompt with several seeds, and ranks the pictures by their captions or their scores.",
    input: BestOfInput,
    output: BestOfOutput,
  },
  refine: {
    description:
      "Draws a prompt, asks questions about the picture, and draws it again from its last good row with an amended prompt until the answers are accepted.",
    input: RefineInput,
    output: RefineOutput,
  },
  remix: {
    description: "Captions a picture, and draws the caption as a new picture.",
    input: RemixInput,
    output: RemixOutput,
  },
  album: {
    description:
      "Draws up to a thousand prompts, a few at a time; a failed prompt does not end it.",
    input: AlbumInput,
    output: AlbumOutput,
  },
  prepare: {
    description:
      "Encodes a folder of pictures with their texts for tuning, in parts that are resumed after a crash.",
    input: PrepareInput,
    output: PrepareOutput,
  },
} as const satisfies Readonly<Record<string, ChainInfo>>;

/** A name of a chain. */
export type ChainName = keyof typeof CHAINS;
