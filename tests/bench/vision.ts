// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of the published vision tokenizer's shapes: seconds to encode
 * and to decode a picture, direct and by Winograd's algorithm in turns, and the
 * peak memory of each.
 *
 * ```sh
 * deno task bench:vision                           # 256 × 256
 * deno task bench:vision --sides 256,720 --rounds 3 --threads 2
 * deno task bench:vision --frames 4                # clips
 * PYTHON=/path/to/python deno task bench:vision    # transformers too
 * ```
 *
 * Weights are noise: times do not depend on them. Keep results in RESULTS.md.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { visionInputs, writePublishedVision } from "./model_bench.ts";
import { startPeer } from "./peers.ts";

const { values } = parseArgs({
  options: {
    sides: { type: "string", default: "256" },
    rounds: { type: "string", default: "2" },
    frames: { type: "string", default: "1" },
    threads: {
      type: "string",
      default: String(navigator.hardwareConcurrency),
    },
  },
});
const rounds = Number(values.rounds);
/** Number of frames: 1 of pictures, else a multiple of those of a code. */
const frames = Number(values.frames);

/** The directions of a vision tokenizer. */
type Both = Readonly<Record<"encode" | "decode", number>>;

/** A turn of a contender. */
interface Turn {
  readonly name: string;
  readonly seconds: Both;
  /** Peak memory in GiB, without mapped files; undefined for a peer. */
  readonly peak?: Both;
}

using folder = temporaryFolder();
const checkpoint = await writePublishedVision(folder.path);
await using runtime = new Runtime({ threads: Number(values.threads) });
console.log("picture  convolutions    encode   decode    peak of each, GiB");
for (const side of values.sides.split(",").map(Number)) {
  const direct = new VisionTokenizer(runtime, checkpoint, () => undefined);
  const tiled = new VisionTokenizer(runtime, checkpoint);
  await using peer = frames === 1
    ? startPeer(["vision", "--side", String(side)])
    : undefined;
  const turns: Turn[] = [];
  for (let round = 0; round < rounds; round++) {
    turns.push(
      await measure("direct", direct, side),
      await measure("Winograd", tiled, side),
    );
    const other = await peer?.measure();
    if (other !== undefined) {
      const { encode_seconds: encode, decode_seconds: decode } = other;
      const seconds = { encode: encode!, decode: decode! };
      turns.push({ name: "transformers", seconds });
    }
  }
  for (const [name, own] of Map.groupBy(turns, ({ name }) => name)) {
    report(side, name, own);
  }
  await direct[Symbol.asyncDispose]();
  await tiled[Symbol.asyncDispose]();
}

/** Times one picture, or one clip, whose sessions are open. */
async function measure(
  name: string,
  vision: VisionTokenizer,
  side: number,
): Promise<Turn> {
  await vision.load("encode");
  await vision.load("decode");
  const calls = callsOf(vision, side);
  const encode = await timed(calls.encode);
  const decode = await timed(calls.decode);
  return {
    name,
    seconds: { encode: encode.seconds, decode: decode.seconds },
    peak: { encode: encode.peak, decode: decode.peak },
  };
}

/** Returns what encodes and decodes one picture, or one clip. */
function callsOf(
  vision: VisionTokenizer,
  side: number,
): Record<keyof Both, () => Promise<unknown>> {
  const { image, grid } = visionInputs(vision, side);
  if (frames === 1) {
    return {
      encode: () => vision.encode(image),
      decode: () => vision.decode(grid),
    };
  }
  const codeFrames = frames / vision.framesPerCode;
  const codes = new Uint16Array(codeFrames * grid.codes.length);
  const clip = { ...grid, frames: codeFrames, codes };
  return {
    encode: () => vision.encodeClip(Array(frames).fill(image)),
    decode: () => Array.fromAsync(vision.decodeClip(clip)),
  };
}

/**
 * Returns the seconds of a call, and the peak memory during it in GiB, without
 * mapped files.
 */
async function timed(
  call: () => Promise<unknown>,
): Promise<{ seconds: number; peak: number }> {
  // Resets the peak, see proc(5).
  await Deno.writeTextFile("/proc/self/clear_refs", "5");
  const start = performance.now();
  await call();
  const seconds = (performance.now() - start) / 1000;
  const status = await Deno.readTextFile("/proc/self/status");
  const [most, mapped] = ["VmHWM", "RssFile"].map((field) =>
    Number(status.match(new RegExp(`^${field}:\\s+(\\d+)`, "m"))![1])
  );
  return { seconds, peak: (most! - mapped!) / 2 ** 20 };
}

/** Prints the least seconds and the most memory of a contender's turns. */
function report(side: number, name: string, turns: readonly Turn[]): void {
  const least = (part: keyof Both) =>
    `${Math.min(...turns.map(({ seconds }) => seconds[part])).toFixed(2)} s`
      .padStart(9);
  const peak = (part: keyof Both) =>
    Math.max(...turns.map((turn) => turn.peak?.[part] ?? NaN)).toFixed(2);
  console.log(
    [
      `${side}²`.padEnd(8),
      name.padEnd(12),
      least("encode"),
      least("decode"),
      turns[0]!.peak === undefined
        ? ""
        : `   ${peak("encode")} ${peak("decode")}`,
    ].join(" "),
  );
}
