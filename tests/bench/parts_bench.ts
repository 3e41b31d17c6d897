/**
 * The breakdown of a guided picture's time per token: the layers, the head,
 * guidance and sampling; the rest is the server around them.
 *
 * @module
 */

import type { Feed } from "../../lib/decoder/decoder.ts";
import { OnnxDecoder } from "../../lib/decoder/onnx_decoder.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { guide } from "../../lib/sampling/guidance.ts";
import { sample } from "../../lib/sampling/sampler.ts";
import { MIDDLE_CODES } from "./middle_checkpoint.ts";
import { median } from "./timing.ts";

/** The seconds of each part, for two rows. */
export interface Parts {
  /** One token per row through the layers. */
  readonly step: number;
  /** Two tokens per row: a code and the end of its row. */
  readonly pair: number;
  /** Hidden states to logits of all codes. */
  readonly head: number;
  /** Guidance, top-k and sampling. */
  readonly draw: number;
}

/** Runs of each part; a picture takes many steps, so the median counts. */
const RUNS = 60;

/** Position at which a row is measured, about halfway through a picture. */
const POSITION = 100;

const CODE = MIDDLE_CODES.firstCode;

/** Times the parts of the checkpoint in `folder`. */
export async function benchParts(folder: string): Promise<Parts> {
  const threads = navigator.hardwareConcurrency;
  await using runtime = new Runtime({ threads });
  const checkpoint = await openLanguageCheckpoint(folder);
  await using decoder = await OnnxDecoder.open(
    runtime,
    checkpoint,
    MIDDLE_CODES,
    {
      slots: 2,
      contextLength: 1024,
      chunkLength: 256,
      heads: ["codes"],
      cacheDtype: "float32",
    },
  );
  const feeds = (tokens: number[]): Feed[] =>
    [0, 1].map((slot) => ({ slot, tokens, position: POSITION }));
  const step = () => decoder.step(feeds([CODE]));
  const hidden = (await step()).map((state) => state.slice());
  const [conditional, unconditional] = await decoder.logits("codes", hidden);
  const [c, u] = [conditional!.slice(), unconditional!.slice()];
  const guided = new Float32Array(c.length);
  return {
    step: await median(RUNS, step),
    pair: await median(RUNS, () => decoder.step(feeds([CODE, CODE]))),
    head: await median(RUNS, () => decoder.logits("codes", hidden)),
    draw: await median(RUNS, () => {
      guided.set(c);
      guide(guided, u, 3);
      sample(guided, { temperature: 1, topK: 2048, topP: 1 }, () => 0.5);
      return Promise.resolve();
    }),
  };
}

/** Scales the parts to a token of a picture of `side` × `side` codes. */
export function partsPerToken(parts: Parts, side: number): Parts {
  const tokens = side + 1;
  return {
    step: parts.step * (side - 1) / tokens,
    pair: parts.pair / tokens,
    head: parts.head * side / tokens,
    draw: parts.draw * side / tokens,
  };
}
