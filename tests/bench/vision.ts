// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of the published vision tokenizer's shapes: seconds to encode
 * and to decode a picture, direct and by Winograd's algorithm in turns, and the
 * peak memory of each.
 *
 * ```sh
 * deno task bench:vision                           # 256 × 256
 * deno task bench:vision --sides 256,720 --rounds 3 --threads 2
 * PYTHON=/path/to/python deno task bench:vision    # transformers too
 * ```
 *
 * Weights are noise: times do not depend on them. Keep results in RESULTS.md.
 *
 * @module
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { openVisionCheckpoint } from "../../lib/loading/checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import { parseVisionConfig } from "../../models/config/vision_config.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { startPeer } from "./peers.ts";
import { visionTensors, writeRandomWeights } from "./random_checkpoint.ts";

const { values } = parseArgs({
  options: {
    sides: { type: "string", default: "256" },
    rounds: { type: "string", default: "2" },
    threads: {
      type: "string",
      default: String(navigator.hardwareConcurrency),
    },
  },
});
const rounds = Number(values.rounds);

/** The least seconds and the most memory of a contender. */
interface Measured {
  readonly name: string;
  encode: number;
  decode: number;
  /** Peak memory in GiB, without mapped files; undefined for a peer. */
  peak?: { encode: number; decode: number };
}

using folder = temporaryFolder();
await Deno.writeTextFile(join(folder.path, "config.json"), "{}");
await writeRandomWeights(
  folder.path,
  visionTensors(parseVisionConfig({})),
  "F32",
);
const checkpoint = await openVisionCheckpoint(folder.path);
await using runtime = new Runtime({ threads: Number(values.threads) });
console.log("picture  convolutions    encode   decode    peak of each, GiB");
for (const side of values.sides.split(",").map(Number)) {
  const direct = new VisionTokenizer(runtime, checkpoint, () => undefined);
  const tiled = new VisionTokenizer(runtime, checkpoint);
  await using peer = startPeer(["vision", "--side", String(side)]);
  const results = [];
  for (let round = 0; round < rounds; round++) {
    results.push(
      await measure("direct", direct, side),
      await measure("Winograd", tiled, side),
    );
    const other = await peer?.measure();
    if (other !== undefined) {
      const { encode_seconds: encode, decode_seconds: decode } = other;
      results.push({
        name: "transformers",
        encode: encode!,
        decode: decode!,
      });
    }
  }
  for (const name of new Set(results.map(({ name }) => name))) {
    report(side, results.filter((result) => result.name === name));
  }
  await direct[Symbol.asyncDispose]();
  await tiled[Symbol.asyncDispose]();
}

/** Times one picture, whose sessions are open. */
async function measure(
  name: string,
  vision: VisionTokenizer,
  side: number,
): Promise<Measured> {
  await vision.load("encode");
  await vision.load("decode");
  const pixels = new Uint8ClampedArray(3 * side * side).map((_, i) => i % 251);
  const codes = side / vision.pixelsPerCode;
  const grid = {
    height: codes,
    width: codes,
    codes: new Uint16Array(codes * codes).map((_, i) => (i * 97) % 32_768),
  };
  const encode = await timed(() =>
    vision.encode({ height: side, width: side, pixels })
  );
  const decode = await timed(() => vision.decode(grid));
  return {
    name,
    encode: encode.seconds,
    decode: decode.seconds,
    peak: { encode: encode.peak, decode: decode.peak },
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
function report(side: number, turns: readonly Measured[]): void {
  const least = (part: "encode" | "decode") =>
    `${Math.min(...turns.map((turn) => turn[part])).toFixed(2)} s`.padStart(9);
  const peak = (part: "encode" | "decode") =>
    Math.max(...turns.map((turn) => turn.peak?.[part] ?? NaN)).toFixed(2);
  console.log(
    [
      `${side}²`.padEnd(8),
      turns[0]!.name.padEnd(12),
      least("encode"),
      least("decode"),
      turns[0]!.peak === undefined
        ? ""
        : `   ${peak("encode")} ${peak("decode")}`,
    ].join(" "),
  );
}
