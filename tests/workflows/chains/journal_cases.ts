/**
 * The cases whose journals are golden: every chain, and the branches that add
 * entries. One part runs at a time, so that the order of entries is fixed.
 *
 * @module
 */

import { encodePng } from "../../../lib/image/encode_png.ts";
import { writeNpy } from "../../../lib/npy.ts";
import {
  type Behavior,
  emulatedGrid,
} from "../../deploy/workflows/emulated_emu3.ts";
import type { TemporaryFolder } from "../../support/temporary_folder.ts";

/** A run of a chain whose journal is golden. */
export interface JournalCase {
  /** Name of the chain. */
  readonly chain: string;
  /** Input of the chain. */
  readonly input: unknown;
  /** True to cancel the chain while it draws. */
  readonly canceled?: boolean;
}

/** Prompts that change the behavior of the endpoints. */
const BUSY = "busy at first";
const HELD = "held";
const REFUSED = "refused";

/** The cases by name. */
export const JOURNAL_CASES: Readonly<Record<string, JournalCase>> = {
  imagine: { chain: "imagine", input: { prompt: "a cat" } },
  "imagine at a busy server": { chain: "imagine", input: { prompt: BUSY } },
  "imagine refused": { chain: "imagine", input: { prompt: REFUSED } },
  "imagine canceled": {
    chain: "imagine",
    input: { prompt: HELD },
    canceled: true,
  },
  draw: {
    chain: "draw",
    input: { prompt: "a cat", score: true, caption: true },
  },
  "best_of": { chain: "best_of", input: { prompt: "a cat", n: 1 } },
  refine: {
    chain: "refine",
    input: {
      prompt: "a cat",
      questions: [{ question: "What color?", expect: ["red"] }],
      rounds: 2,
    },
  },
  "remix of codes": { chain: "remix", input: { grid: emulatedGrid(1) } },
  "remix of an address": {
    chain: "remix",
    input: { "image_url": "https://example.org/cat.png" },
  },
  album: {
    chain: "album",
    input: { prompts: ["a cat", REFUSED], concurrency: 1 },
  },
  prepare: {
    chain: "prepare",
    input: {
      ...{ data: "in", out: "set", shards: 2, concurrency: 1 },
      ...{ to: "jsonl", resize: "smart" },
    },
  },
};

/** Returns the behavior of the endpoints. */
export function journalBehavior(): Behavior {
  let busy = true;
  return {
    drawing: ({ prompt }) =>
      prompt === HELD ? new Promise(() => {}) : Promise.resolve(),
    intercept: (path, { prompt, image }) => {
      if (path === "GET /v1/models") {
        const preprocessing = {
          "spatial_factor": 8,
          "min_pixels": 64,
          "max_pixels": 4096,
        };
        return Response.json({ data: [{ id: "emulated", preprocessing }] });
      }
      if (path === "POST /v1/tokenize" && image === undefined) {
        return new Response(writeNpy([1, 1], Uint16Array.of(1)));
      }
      if (path !== "POST /v1/generate") return undefined;
      if (prompt === REFUSED) {
        return Response.json({ status: 422 }, { status: 422 });
      }
      if (prompt !== BUSY || !busy) return undefined;
      busy = false;
      const headers = { "retry-after": "1" };
      return Response.json({ status: 429 }, { status: 429, headers });
    },
  };
}

/** Writes the input of the case `prepare`. */
export function writePreparedInput(folder: TemporaryFolder): void {
  const pixels = new Uint8ClampedArray(3 * 256);
  const picture = encodePng({ height: 16, width: 16, pixels }, {});
  for (const name of ["a", "b", "c"]) folder.write(`in/${name}.png`, picture);
}
