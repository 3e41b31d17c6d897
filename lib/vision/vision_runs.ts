/**
 * The runs of a vision tokenizer's graphs, one part of its work each.
 *
 * ```text
 * pixels ─▶ features ─▶ latent ─▶ codes ─▶ streams ─▶ pixels
 * a frame   all frames            all frames          a frame
 * ```
 *
 * Shapes: T frames, H × W pixels, t code frames, h × w codes, Z latent channels.
 *
 * @module
 */

import { elementCount } from "../../models/graph/dtype.ts";
import {
  clipStreamsGraph,
  frameDecoderGraph,
  stillStreamsGraph,
} from "../../models/vision_decoder.ts";
import {
  clipLatentGraph,
  frameEncoderGraph,
  stillLatentGraph,
} from "../../models/vision_encoder.ts";
import { quantizerGraph } from "../../models/vision_quantizer.ts";
import type { CodeClip, GridSize } from "../grid.ts";
import type { PixelSize } from "../image/image.ts";
import type { VisionCheckpoint } from "../loading/checkpoint.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { TensorData } from "../runtime/tensor.ts";
import { channelsLast } from "./pixels.ts";
import type { GraphBuilder, VisionSessions } from "./vision_sessions.ts";

/** Floats that ONNX Runtime reads or writes in place. */
export type Floats = Float32Array<ArrayBuffer>;

/** A code frame as one picture, or as `temporalFactor` frames. */
export type FrameKind = "still" | "clip";

/** Number of streams of a frame that is decoded. */
const STREAMS = 2;

/** The number of latent vectors that are compared with the codebook at once. */
const QUANTIZER_ROWS = 256;

/** A tensor of a run. */
interface RunTensor {
  readonly name: string;
  readonly data: TensorData;
  readonly shape: readonly number[];
}

/** A run of a graph of one input and one output. */
interface Run {
  readonly input: RunTensor;
  /** Output, which the run fills. */
  readonly output: RunTensor;
  /** Sides of the picture; undefined if they do not matter. */
  readonly size?: PixelSize;
}

/** Runs the graphs of a vision tokenizer. */
export class VisionRuns {
  readonly #runtime: Runtime;
  readonly #sessions: VisionSessions;
  readonly #checkpoint: VisionCheckpoint;

  /** Prepares runs in `sessions`, which are opened on first use. */
  constructor(
    runtime: Runtime,
    checkpoint: VisionCheckpoint,
    sessions: VisionSessions,
  ) {
    this.#runtime = runtime;
    this.#checkpoint = checkpoint;
    this.#sessions = sessions;
  }

  /** Opens the sessions that encode or decode stills. */
  async load(direction: "encode" | "decode"): Promise<void> {
    const graphs = direction === "decode"
      ? [stillStreamsGraph, frameDecoderGraph]
      : [frameEncoderGraph, stillLatentGraph, quantizerGraph];
    for (const graph of graphs) await this.#sessions.get(graph);
  }

  /** Returns the features of a frame `pixels` `[3, H, W]`: `[Z, h, w]`. */
  async encodeFrame(
    pixels: Floats,
    grid: GridSize,
    size: PixelSize,
    signal: AbortSignal | undefined,
  ): Promise<Floats> {
    const shape = [1, ...this.#latentShape(grid)];
    const features = new Float32Array(elementCount(shape));
    await this.#run(frameEncoderGraph, {
      size,
      input: {
        name: "pixels",
        data: pixels,
        shape: [1, 3, size.height, size.width],
      },
      output: { name: "features", data: features, shape },
    }, signal);
    return features;
  }

  /**
   * Returns the latent `[t, Z, h, w]` of the features of a clip's frames, or of
   * the one frame of a still.
   */
  async latent(
    features: readonly Floats[],
    grid: GridSize,
    size: PixelSize,
    signal: AbortSignal | undefined,
  ): Promise<Floats> {
    const frames = features.length;
    const still = frames === 1;
    const steps = still ? 1 : frames / this.#checkpoint.config.temporalFactor;
    const shape = this.#latentShape(grid);
    const latent = new Float32Array(steps * elementCount(shape));
    await this.#run(still ? stillLatentGraph : clipLatentGraph, {
      size,
      input: {
        name: "features",
        data: joined(features),
        shape: [frames, ...shape],
      },
      output: { name: "latent", data: latent, shape: [steps, ...shape] },
    }, signal);
    return latent;
  }

  /** Returns the nearest codes of a latent `[t, Z, h, w]`: `[t · h · w]`. */
  async codes(
    latent: Floats,
    signal: AbortSignal | undefined,
  ): Promise<Uint16Array<ArrayBuffer>> {
    const { latentChannels } = this.#checkpoint.config;
    const count = latent.length / latentChannels;
    const vectors = channelsLast(latent, latentChannels);
    const codes = new BigInt64Array(count);
    // In parts, since the distances of all latents to all codes would take
    // gigabytes.
    for (let start = 0; start < count; start += QUANTIZER_ROWS) {
      signal?.throwIfAborted();
      const end = Math.min(count, start + QUANTIZER_ROWS);
      const rows = end - start;
      await this.#run(quantizerGraph, {
        input: {
          name: "latent",
          data: vectors.subarray(start * latentChannels, end * latentChannels),
          shape: [rows, latentChannels],
        },
        output: {
          name: "codes",
          data: codes.subarray(start, end),
          shape: [rows],
        },
      }, signal);
    }
    return Uint16Array.from(codes, Number);
  }

  /** Returns the number of frames that code frames become. */
  frameCount({ frames }: CodeClip, kind: FrameKind): number {
    const { temporalFactor } = this.#checkpoint.config;
    return kind === "still" ? 1 : frames * temporalFactor;
  }

  /** Returns the streams of each frame of code frames, `[2, Z, h, w]` each. */
  async streams(
    clip: CodeClip,
    size: PixelSize,
    kind: FrameKind,
    signal: AbortSignal | undefined,
  ): Promise<readonly Floats[]> {
    const frames = this.frameCount(clip, kind);
    const shape = [STREAMS, ...this.#latentShape(clip)];
    const length = elementCount(shape);
    const streams = new Float32Array(frames * length);
    const graph = kind === "still" ? stillStreamsGraph : clipStreamsGraph;
    await this.#run(graph, {
      size,
      input: {
        name: "codes",
        data: BigInt64Array.from(clip.codes, BigInt),
        shape: [clip.frames, clip.height, clip.width],
      },
      output: { name: "streams", data: streams, shape: [frames, ...shape] },
    }, signal);
    return Array.from(
      { length: frames },
      (_, i) => streams.subarray(i * length, (i + 1) * length),
    );
  }

  /** Returns the pixels of a frame from its streams, `[3, H, W]`. */
  async decodeFrame(
    streams: Floats,
    grid: GridSize,
    size: PixelSize,
    signal: AbortSignal | undefined,
  ): Promise<Floats> {
    const shape = [1, 3, size.height, size.width];
    const pixels = new Float32Array(elementCount(shape));
    await this.#run(frameDecoderGraph, {
      size,
      input: {
        name: "streams",
        data: streams,
        shape: [STREAMS, ...this.#latentShape(grid)],
      },
      output: { name: "pixels", data: pixels, shape },
    }, signal);
    return pixels;
  }

  async #run(
    builder: GraphBuilder,
    { input, output, size }: Run,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const session = await this.#sessions.get(builder, size);
    using stack = new DisposableStack();
    const binding = stack.use(session.bind());
    const tensor = ({ data, shape }: RunTensor) =>
      stack.use(this.#runtime.tensor(data, shape));
    binding.input(input.name, tensor(input));
    binding.output(output.name, tensor(output));
    await binding.run(signal);
  }

  /** Returns the shape of a latent of one frame, `[Z, h, w]`. */
  #latentShape({ height, width }: GridSize): readonly number[] {
    return [this.#checkpoint.config.latentChannels, height, width];
  }
}

/** Returns arrays of equal length, one after the other. */
export function joined(parts: readonly Floats[]): Floats {
  const length = parts[0]?.length ?? 0;
  const whole = new Float32Array(parts.length * length);
  for (const [i, part] of parts.entries()) whole.set(part, i * length);
  return whole;
}
