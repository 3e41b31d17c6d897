import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { GridError, ImageSizeError } from "../../../lib/errors.ts";
import { trace } from "../../../lib/trace.ts";
import { joined, VisionRuns } from "../../../lib/vision/vision_runs.ts";
import { VisionSessions } from "../../../lib/vision/vision_sessions.ts";
import {
  clipStreamsGraph,
  frameDecoderGraph,
} from "../../../models/vision_decoder.ts";
import {
  clipLatentGraph,
  frameEncoderGraph,
} from "../../../models/vision_encoder.ts";
import type { winogradFor } from "../../../models/vision/convolution.ts";
import { paint } from "../../support/pictures.ts";
import { float32, int32 } from "../../support/safetensors.ts";
import {
  assertCodes,
  clips,
  framesOf,
  golden,
  images,
} from "../../support/vq_golden.ts";
import {
  maxDifference,
  openTinyVision,
  VISION_FOLDERS,
} from "../../support/tiny.ts";

/** The tolerance of fp32 against fp32 in other kernels. */
const LATENT_TOLERANCE = 2e-4;
const PIXEL_TOLERANCE = 5e-4;

/**
 * Chooses Winograd's algorithm for every convolution that has one, if strips
 * have rows.
 */
const chooseAll: typeof winogradFor = (_, size) =>
  size === undefined || Math.min(size.height, size.width) >= 32
    ? { leastChannels: 1 }
    : undefined;

/** The ways to convolve, by their names. */
const CONVOLUTIONS = [
  ["direct", undefined],
  ["by Winograd's algorithm", chooseAll],
] as const;

for (
  const [name, how, choose] of VISION_FOLDERS.flatMap((name) =>
    CONVOLUTIONS.map(([how, choose]) => [name, how, choose] as const)
  )
) {
  const open = () => openTinyVision(name, undefined, choose);

  Deno.test(`encode() of ${name}, ${how}, returns the reference's latents and codes`, async () => {
    await using tiny = await open();
    for (const { name: image, resized_hw: size } of images) {
      const [picture] = framesOf(image, size);
      const latent = await tiny.vision.latent([picture!]);
      const worst = maxDifference(latent, float32(golden, `${image}.latent`));
      ok(worst < LATENT_TOLERANCE, `${image}: ${worst}`);
      const grid = await tiny.vision.encode(picture!);
      deepStrictEqual([grid.height * 8, grid.width * 8], size);
      assertCodes(
        grid.codes,
        int32(golden, `${image}.codes`),
        float32(golden, `${image}.margin`),
      );
    }
  });

  Deno.test(`decode() of ${name}, ${how}, returns the reference's pixels`, async () => {
    await using tiny = await open();
    const stills = [
      ...images.map(({ name }) => name),
      "rand0",
      "rand1",
      "rand2",
    ];
    for (const still of stills) {
      const { shape, data } = golden.get(`${still}.codes`)!;
      const [frames, height, width] = shape as [number, number, number];
      const codes = Uint16Array.from(data as Int32Array);
      const clip = { frames, height, width, codes };
      const pixels = await tiny.vision.pixels(clip, "still");
      const worst = maxDifference(pixels, float32(golden, `${still}.decoded`));
      ok(worst < PIXEL_TOLERANCE, `${still}: ${worst}`);
    }
  });

  Deno.test(`clips of ${name}, ${how}, have the reference's codes and pixels, chunk by chunk`, async () => {
    await using tiny = await open();
    for (const { name: clip, resized_hw: size } of clips) {
      const encoded = await tiny.vision.encodeClip(framesOf(clip, size));
      assertCodes(
        encoded.codes,
        int32(golden, `${clip}.chunk_codes`),
        float32(golden, `${clip}.chunk_margin`),
      );
      const expected = float32(golden, `${clip}.chunk_decoded`);
      const length = expected.length / encoded.frames;
      const area = encoded.height * encoded.width;
      for (let i = 0; i < encoded.frames; i++) {
        const codes = encoded.codes.slice(i * area, (i + 1) * area);
        const chunk = { ...encoded, frames: 1, codes };
        const pixels = await tiny.vision.pixels(chunk, "clip");
        const part = expected.subarray(i * length, (i + 1) * length);
        const worst = maxDifference(pixels, part);
        ok(worst < PIXEL_TOLERANCE, `${clip}, chunk ${i}: ${worst}`);
      }
    }
  });
}

// Trap 8: in one pass and as chunks, the first code frame is the same and later
// ones differ.
Deno.test("latent() and pixels() of a clip match the reference's one-pass codes and pixels", async () => {
  await using tiny = await openTinyVision();
  for (const { name: clip, resized_hw: size } of clips.slice(1)) {
    const { shape, data } = golden.get(`${clip}.onepass_codes`)!;
    const [, frames, height, width] = shape as [number, number, number, number];
    const codes = Uint16Array.from(data as Int32Array);
    const decoded = await tiny.vision.pixels(
      { frames, height, width, codes },
      "clip",
    );
    const expected = float32(golden, `${clip}.onepass_decoded`);
    const worst = maxDifference(decoded, expected);
    ok(worst < PIXEL_TOLERANCE, `${clip}: ${worst}`);
    const whole = await tiny.vision.latent(framesOf(clip, size));
    const first = await tiny.vision.latent(framesOf(clip, size).slice(0, 4));
    const head = whole.subarray(0, first.length);
    ok(maxDifference(head, first) < LATENT_TOLERANCE);
  }
});

Deno.test("latent() and pixels() of a still equal those of a clip of its picture four times", async () => {
  await using tiny = await openTinyVision();
  for (const { name: image, resized_hw: size } of images) {
    const [picture] = framesOf(image, size);
    const still = await tiny.vision.latent([picture!]);
    const repeated = await tiny.vision.latent(Array(4).fill(picture));
    ok(maxDifference(still, repeated) < 1e-4, image);
    const grid = await tiny.vision.encode(picture!);
    const clip = { ...grid, frames: 1 };
    const frame = await tiny.vision.pixels(clip, "still");
    const frames = await tiny.vision.pixels(clip, "clip");
    ok(maxDifference(frame, frames.subarray(0, frame.length)) < 1e-4, image);
  }
});

/** Inputs of a trace. */
type Inputs = Parameters<typeof trace>[3];

/** Returns the golden activation's name of a mark of ours. */
function goldenName(mark: string): string {
  return mark.replace("encoder.", "enc.").replace("decoder.", "dec.")
    .replace(/(down|up)\.(\d)\.block\.(\d)/, "$1$2.block$3")
    .replace(/(down|up)\.(\d)\.out/, "$1$2.out")
    .replace(/time_conv\.(\d)/, "time_conv$1.pre_act");
}

Deno.test("trace() returns the reference's activations, stage by stage", async () => {
  await using tiny = await openTinyVision();
  const { runtime, vision: { checkpoint } } = tiny;
  const { config, weights, weightFolder } = checkpoint;
  const options = { computeDtype: "float32", trace: true } as const;
  const one = float32(golden, "trace.pixel_values");
  using pixels = runtime.tensor(one.slice(), [1, 3, 32, 40]);
  const ids = Uint16Array.from(int32(golden, "trace.codes"));
  using codes = runtime.tensor(BigInt64Array.from(ids, BigInt), [1, 4, 5]);
  const run = (graph: typeof frameEncoderGraph, inputs: Inputs) =>
    trace(runtime, graph(config, weights, options), weightFolder, inputs);

  const encoded = await run(frameEncoderGraph, { pixels });
  const frame = encoded.get("encoder.conv_out")!.values as Float32Array;
  const four = joined(Array(4).fill(frame));
  using features = runtime.tensor(four, [4, 4, 4, 5]);
  await using sessions = new VisionSessions(runtime, checkpoint);
  const runs = new VisionRuns(runtime, checkpoint, sessions);
  const clip = { frames: 1, height: 4, width: 5, codes: ids };
  const size = { height: 32, width: 40 };
  const seen = new Set<string>();
  const assertMarks = (marks: Awaited<ReturnType<typeof run>>) => {
    for (const [mark, { values }] of marks) {
      const name = `trace.${goldenName(mark)}`;
      const expected = golden.get(name);
      if (expected === undefined) continue;
      seen.add(name);
      const data = expected.data as Float32Array;
      strictEqual(values.length, data.length, mark);
      const worst = maxDifference(values as Float32Array, data);
      ok(worst < PIXEL_TOLERANCE, `${mark}: ${worst}`);
    }
  };
  assertMarks(encoded);
  assertMarks(await run(clipLatentGraph, { features }));
  assertMarks(await run(clipStreamsGraph, { codes }));
  for (const kind of ["clip", "still"] as const) {
    const [first] = await runs.streams(clip, size, kind, undefined);
    using streams = runtime.tensor(first!, [2, 4, 4, 5]);
    assertMarks(await run(frameDecoderGraph, { streams }));
  }
  strictEqual(seen.size, 36);
});

Deno.test("encode() refuses sides that are not multiples of a code", async () => {
  await using tiny = await openTinyVision();
  const image = { height: 12, width: 16, pixels: new Uint8ClampedArray(576) };
  await rejects(tiny.vision.encode(image), ImageSizeError);
});

Deno.test("decode() refuses codes that are not in the codebook", async () => {
  await using tiny = await openTinyVision();
  const grid = { height: 1, width: 2, codes: Uint16Array.of(0, 512) };
  await rejects(tiny.vision.decode(grid), GridError);
});

Deno.test("encode() stops when its signal aborts, and the next one runs", async () => {
  await using tiny = await openTinyVision();
  const [picture] = framesOf(images[0]!.name, images[0]!.resized_hw);
  const gone = AbortSignal.abort(new Error("gone"));
  const [canceled, grid] = await Promise.allSettled([
    tiny.vision.encode(picture!, gone),
    tiny.vision.encode(picture!),
  ]);
  strictEqual(canceled.status, "rejected");
  strictEqual(grid.status, "fulfilled");
});

Deno.test("encodeClip() and decode() stop within a chunk when abandoned, queued or not", async () => {
  await using tiny = await openTinyVision();
  const frame = paint(32, 40, () => [0, 0, 0]);
  const frames = Array.from({ length: 400 }, () => frame);
  const leave = new AbortController();
  const { signal } = leave;
  const running = tiny.vision.encodeClip(frames, signal);
  const queued = tiny.vision.decode(
    { height: 4, width: 5, codes: new Uint16Array(20) },
    signal,
  );
  leave.abort(new Error("gone"));
  // Awaited together, so that no rejection is unhandled.
  await Promise.all([rejects(running, /gone/), rejects(queued, /gone/)]);
  // The next call runs.
  const grid = await tiny.vision.encode(frame);
  strictEqual(grid.codes.length, 20);
});

Deno.test("encode() serves callers in turn: one picture waits for few of another caller's, however many these are", async () => {
  await using tiny = await openTinyVision();
  const grid = { height: 4, width: 4, codes: new Uint16Array(16) };
  const frames = { ...grid, frames: 1 };
  await tiny.vision.decode(grid);
  await Array.fromAsync(tiny.vision.decodeClip(frames));
  const done: string[] = [];
  const note = (caller: string) =>
    tiny.vision.decode(grid, undefined, caller)
      .then(() => void done.push(caller));
  await Promise.all([
    ...Array.from({ length: 20 }, () => note("a")),
    note("b"),
    Array.fromAsync(tiny.vision.decodeClip(frames, undefined, "c"))
      .then(() => done.push("c")),
  ]);
  ok(done.indexOf("b") <= 3, `${done}`);
  // A clip's frames count as that many pictures.
  ok(done.indexOf("c") <= 6, `${done}`);
});

Deno.test("encode() lets a small picture pass waiting large ones of its caller", async () => {
  await using tiny = await openTinyVision();
  const decode = async (side: number) => {
    const codes = new Uint16Array(side * side);
    await tiny.vision.decode({ height: side, width: side, codes });
    done.push(side);
  };
  const done: number[] = [];
  await decode(4);
  await Promise.all([decode(65), decode(66), decode(5)]);
  deepStrictEqual(done, [4, 65, 5, 66]);
});

Deno.test("decode() leaves the queue when its signal aborts", async () => {
  await using tiny = await openTinyVision();
  const grid = { height: 4, width: 4, codes: new Uint16Array(16) };
  const leave = new AbortController();
  const first = tiny.vision.decode(grid);
  const second = tiny.vision.decode(grid, leave.signal);
  // Only after its graph is loaded.
  await tiny.vision.load("decode");
  leave.abort();
  await rejects(second, { name: "AbortError" });
  strictEqual((await first).height, 32);
});
