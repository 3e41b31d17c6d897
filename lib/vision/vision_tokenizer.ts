/**
 * The vision tokenizer: pictures and clips to codes and back.
 *
 * ```text
 * encode   RgbImage ─▶ pixels ─▶ latent ─▶ codes
 * decode   codes ─▶ pixels ─▶ RgbImage
 * ```
 *
 * Stills have separate graphs, which compute one frame instead of a clip's
 * four. Graphs are loaded on first use, and compute in fp32 on every device,
 * because codes depend on every bit. One run at a time, since the activations
 * of a large picture take gigabytes; callers take turns, weighted by pixels.
 *
 * Shapes: T frames, H × W pixels, t code frames, h × w codes, Z latent
 * channels.
 *
 * @module
 */

import { spatialFactor } from "../../models/config/vision_config.ts";
import {
  clipDecoderGraph,
  stillDecoderGraph,
} from "../../models/vision_decoder.ts";
import {
  clipEncoderGraph,
  stillEncoderGraph,
} from "../../models/vision_encoder.ts";
import type { winogradFor } from "../../models/vision/convolution.ts";
import { quantizerGraph } from "../../models/vision_quantizer.ts";
import { FairQueue } from "../async/fair_queue.ts";
import { ImageSizeError } from "../errors.ts";
import {
  assertCodes,
  clipFrame,
  type CodeClip,
  type CodeGrid,
  pixelSize,
} from "../grid.ts";
import type { VisionCheckpoint } from "../loading/checkpoint.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { PixelSize, RgbImage } from "../image/image.ts";
import { channelsLast, imageFromPixelValues, pixelValues } from "./pixels.ts";
import { type RunBytes, runBytesPerPixel } from "./run_memory.ts";
import { VisionSessions } from "./vision_sessions.ts";

/** The number of latent vectors that are compared with the codebook at once. */
const QUANTIZER_ROWS = 256;

/**
 * The maximum number of pixels of a small picture, which passes larger ones; it
 * is the published minimum.
 */
const SMALL_PIXELS = 512 * 512;

/**
 * The maximum number of small pictures that delay a large one; together they
 * take as long as a large one.
 */
const MAX_PASSED = 4;

/** Runs a vision tokenizer on ONNX Runtime. */
export class VisionTokenizer implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #queue = new FairQueue({
    smallCost: SMALL_PIXELS,
    maxPassed: MAX_PASSED,
  });
  readonly #sessions: VisionSessions;
  /** Checkpoint of the model. */
  readonly checkpoint: VisionCheckpoint;
  /** Pixels along each side of one code. */
  readonly pixelsPerCode: number;
  /** Number of frames in one code frame. */
  readonly framesPerCode: number;
  /** Number of codes in the codebook. */
  readonly codebookSize: number;
  /** Bytes of memory that a run takes for each pixel of its frames. */
  readonly runBytesPerPixel: RunBytes;
  /**
   * Bytes of the memory that runs use; undefined for the host's, infinite if
   * unknown.
   */
  readonly deviceMemoryBytes: number | undefined;

  /**
   * Creates the tokenizer; no graph is loaded yet.
   *
   * @param chooseWinograd Chooses the convolutions that use Winograd's algorithm
   * on a CPU.
   */
  constructor(
    runtime: Runtime,
    checkpoint: VisionCheckpoint,
    chooseWinograd?: typeof winogradFor,
  ) {
    this.#runtime = runtime;
    this.#sessions = new VisionSessions(runtime, checkpoint, chooseWinograd);
    this.checkpoint = checkpoint;
    this.pixelsPerCode = spatialFactor(checkpoint.config);
    this.framesPerCode = checkpoint.config.temporalFactor;
    this.codebookSize = checkpoint.config.codebookSize;
    const { onHost } = this.#sessions;
    this.runBytesPerPixel = runBytesPerPixel(
      checkpoint.config,
      onHost ? "host" : "device",
    );
    this.deviceMemoryBytes = onHost
      ? undefined
      : runtime.deviceMemoryBytes ?? Infinity;
  }

  /**
   * Loads the graphs that encode or decode stills, ahead of the first use.
   *
   * @throws {CheckpointError} If a weight is missing or has another shape.
   */
  async load(direction: "encode" | "decode"): Promise<void> {
    if (direction === "decode") {
      await this.#sessions.get(stillDecoderGraph);
    } else {
      await this.#sessions.get(stillEncoderGraph);
      await this.#sessions.get(quantizerGraph);
    }
  }

  /**
   * Returns the codes of a picture.
   *
   * @param caller The caller that the run is queued for.
   * @throws {ImageSizeError} If a side is not a whole number of codes.
   */
  async encode(
    image: RgbImage,
    signal?: AbortSignal,
    caller?: string,
  ): Promise<CodeGrid> {
    const latent = await this.latent([image], signal, caller);
    const { height, width } = this.#gridSize(image);
    return { height, width, codes: await this.#quantize(latent, signal) };
  }

  /** Returns the picture of `grid`. */
  async decode(
    grid: CodeGrid,
    signal?: AbortSignal,
    caller?: string,
  ): Promise<RgbImage> {
    const { height, width } = pixelSize(grid, this);
    const clip = { ...grid, frames: 1 };
    const pixels = await this.pixels(clip, "still", signal, caller);
    return this.#image(pixels, { height, width });
  }

  /**
   * Returns the codes of a clip, encoded in independent chunks of
   * `framesPerCode` frames, as in the released script: in one pass, frames
   * after the first chunk are reconstructed worse.
   *
   * @param frames Frames of equal size; a multiple of `framesPerCode`.
   */
  async encodeClip(
    frames: readonly RgbImage[],
    signal?: AbortSignal,
    caller?: string,
  ): Promise<CodeClip> {
    const size = this.#gridSize(frames[0]!);
    const area = size.height * size.width;
    const chunks = frames.length / this.framesPerCode;
    const codes = new Uint16Array(chunks * area);
    for (let chunk = 0; chunk < chunks; chunk++) {
      signal?.throwIfAborted();
      const start = chunk * this.framesPerCode;
      const part = frames.slice(start, start + this.framesPerCode);
      const latent = await this.latent(part, signal, caller);
      codes.set(await this.#quantize(latent, signal), chunk * area);
    }
    return { ...size, frames: chunks, codes };
  }

  /**
   * Yields the frames of `clip` in order; each code frame is decoded alone when
   * its first frame is asked for, as a still if it is one.
   */
  async *decodeClip(
    clip: CodeClip,
    signal?: AbortSignal,
    caller?: string,
  ): AsyncGenerator<RgbImage, void> {
    const size = pixelSize(clip, this);
    const length = 3 * size.height * size.width;
    for (let frame = 0; frame < clip.frames; frame++) {
      signal?.throwIfAborted();
      if (clip.framesPerCode === 1) {
        yield await this.decode(clipFrame(clip, frame), signal, caller);
        continue;
      }
      const chunk = { ...clipFrame(clip, frame), frames: 1 };
      const pixels = await this.pixels(chunk, "clip", signal, caller);
      for (let i = 0; i < this.framesPerCode; i++) {
        const values = pixels.subarray(i * length, (i + 1) * length);
        yield this.#image(values, size);
      }
    }
  }

  /**
   * Returns the encoder's latent of one picture, or of the frames of a clip in
   * one pass: `[t, Z, h, w]`.
   *
   * @throws {ImageSizeError} If a side is not a whole number of codes.
   */
  async latent(
    frames: readonly RgbImage[],
    signal?: AbortSignal,
    caller?: string,
  ): Promise<Float32Array<ArrayBuffer>> {
    const [first] = frames;
    const grid = this.#gridSize(first!);
    const { height, width } = first!;
    const { preprocessor, config } = this.checkpoint;
    const plane = 3 * height * width;
    const still = frames.length === 1;
    const steps = still ? 1 : frames.length / this.framesPerCode;
    const session = await this.#sessions.get(
      still ? stillEncoderGraph : clipEncoderGraph,
      { frames: frames.length, height, width },
    );
    const shape = [steps, config.latentChannels, grid.height, grid.width];
    const cost = frames.length * height * width;
    return await this.#queue.run(async () => {
      // Only in its turn, since floats take four times the memory of waiting
      // pictures.
      const pixels = new Float32Array(frames.length * plane);
      for (const [i, frame] of frames.entries()) {
        pixels.set(pixelValues(frame, preprocessor), i * plane);
      }
      const latent = new Float32Array(shape.reduce((a, b) => a * b));
      using stack = new DisposableStack();
      const binding = stack.use(session.bind());
      const input = this.#runtime.tensor(pixels, [
        frames.length,
        3,
        height,
        width,
      ]);
      binding.input("pixels", stack.use(input));
      binding.output("latent", stack.use(this.#runtime.tensor(latent, shape)));
      await binding.run(signal);
      return latent;
    }, { caller, cost, signal });
  }

  /**
   * Returns the decoder's output for code frames, before it is rounded to
   * levels: `[1, 3, H, W]` of a still, `[t · framesPerCode, 3, H, W]` of a clip
   * in one pass.
   *
   * @throws {GridError} If a code is not in the codebook.
   */
  async pixels(
    clip: CodeClip,
    kind: "still" | "clip",
    signal?: AbortSignal,
    caller?: string,
  ): Promise<Float32Array<ArrayBuffer>> {
    assertCodes(clip.codes, this.codebookSize);
    const { height, width } = pixelSize(clip, this);
    const session = await this.#sessions.get(
      kind === "still" ? stillDecoderGraph : clipDecoderGraph,
      { frames: clip.frames, height, width },
    );
    const frames = kind === "still" ? 1 : clip.frames * this.framesPerCode;
    const shape = [frames, 3, height, width];
    const cost = frames * height * width;
    return await this.#queue.run(async () => {
      const pixels = new Float32Array(shape.reduce((a, b) => a * b));
      using stack = new DisposableStack();
      const binding = stack.use(session.bind());
      const codes = BigInt64Array.from(clip.codes, BigInt);
      const codeShape = [clip.frames, clip.height, clip.width];
      const input = this.#runtime.tensor(codes, codeShape);
      binding.input("codes", stack.use(input));
      binding.output("pixels", stack.use(this.#runtime.tensor(pixels, shape)));
      await binding.run(signal);
      return pixels;
    }, { caller, cost, signal });
  }

  /** Closes the loaded graphs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  /** Quantizes `[t, Z, h, w]` to the nearest codes, `[t · h · w]`. */
  async #quantize(
    latent: Float32Array<ArrayBuffer>,
    signal?: AbortSignal,
  ): Promise<Uint16Array<ArrayBuffer>> {
    const { latentChannels } = this.checkpoint.config;
    const count = latent.length / latentChannels;
    const vectors = channelsLast(latent, latentChannels);
    const codes = new BigInt64Array(count);
    const session = await this.#sessions.get(quantizerGraph);
    // In parts, since the distances of all latents to all codes would take
    // gigabytes.
    for (let start = 0; start < count; start += QUANTIZER_ROWS) {
      signal?.throwIfAborted();
      const end = Math.min(count, start + QUANTIZER_ROWS);
      using stack = new DisposableStack();
      const binding = stack.use(session.bind());
      const part = vectors.subarray(
        start * latentChannels,
        end * latentChannels,
      );
      const input = this.#runtime.tensor(part, [end - start, latentChannels]);
      binding.input("latent", stack.use(input));
      const output = this.#runtime.tensor(
        codes.subarray(start, end),
        [end - start],
      );
      binding.output("codes", stack.use(output));
      await binding.run(signal);
    }
    return Uint16Array.from(codes, Number);
  }

  #gridSize({ height, width }: PixelSize): PixelSize {
    const factor = this.pixelsPerCode;
    if (height % factor !== 0 || width % factor !== 0) {
      throw new ImageSizeError(
        `${height} × ${width} pixels are not a whole number of codes; both sides must be multiples of ${factor}`,
      );
    }
    return { height: height / factor, width: width / factor };
  }

  #image(values: Float32Array, size: PixelSize): RgbImage {
    const { preprocessor } = this.checkpoint;
    return imageFromPixelValues(values, size, preprocessor);
  }
}
