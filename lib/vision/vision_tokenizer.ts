/**
 * The vision tokenizer: pictures and clips to codes and back.
 *
 * ```text
 * encode   RgbImage ─▶ pixels ─▶ features ─┬▶ latent ─▶ codes
 *          RgbImage ─▶ pixels ─▶ features ─┘
 * decode   codes ─▶ streams ─┬▶ pixels ─▶ RgbImage
 *                            └▶ pixels ─▶ RgbImage
 * ```
 *
 * Stills have separate graphs over time, which compute one frame instead of a
 * clip's four. Graphs are loaded on first use, and compute in fp32 on every
 * device, because codes depend on every bit. One frame at a time is encoded or
 * decoded, since the activations of a large one take gigabytes; callers take
 * turns, weighted by pixels.
 *
 * Shapes: T frames, H × W pixels, t code frames, h × w codes, Z latent
 * channels.
 *
 * @module
 */

import { spatialFactor } from "../../models/config/vision_config.ts";
import type { winogradFor } from "../../models/vision/convolution.ts";
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
import { imageFromPixelValues, pixelValues } from "./pixels.ts";
import { type RunBytes, runBytesPerPixel } from "./run_memory.ts";
import {
  type Floats,
  type FrameKind,
  joined,
  VisionRuns,
} from "./vision_runs.ts";
import { VisionSessions } from "./vision_sessions.ts";

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
  readonly #queue = new FairQueue({
    smallCost: SMALL_PIXELS,
    maxPassed: MAX_PASSED,
  });
  readonly #sessions: VisionSessions;
  readonly #runs: VisionRuns;
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
    this.#sessions = new VisionSessions(runtime, checkpoint, chooseWinograd);
    this.#runs = new VisionRuns(runtime, checkpoint, this.#sessions);
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
    await this.#runs.load(direction);
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
    return { height, width, codes: await this.#runs.codes(latent, signal) };
  }

  /** Returns the picture of `grid`. */
  async decode(
    grid: CodeGrid,
    signal?: AbortSignal,
    caller?: string,
  ): Promise<RgbImage> {
    const clip = { ...grid, frames: 1 };
    const [pixels] = await Array.fromAsync(
      this.#decoded(clip, "still", signal, caller),
    );
    return this.#image(pixels!, pixelSize(grid, this));
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
      codes.set(await this.#runs.codes(latent, signal), chunk * area);
    }
    return { ...size, frames: chunks, codes };
  }

  /**
   * Yields the frames of `clip` in order; each is decoded when it is asked for,
   * each code frame alone, as a still if it is one.
   */
  async *decodeClip(
    clip: CodeClip,
    signal?: AbortSignal,
    caller?: string,
  ): AsyncGenerator<RgbImage, void> {
    const size = pixelSize(clip, this);
    const kind = clip.framesPerCode === 1 ? "still" : "clip";
    for (let frame = 0; frame < clip.frames; frame++) {
      const chunk = { ...clipFrame(clip, frame), frames: 1 };
      const decoded = this.#decoded(chunk, kind, signal, caller);
      for await (const pixels of decoded) yield this.#image(pixels, size);
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
  ): Promise<Floats> {
    const [first] = frames;
    const grid = this.#gridSize(first!);
    const features: Floats[] = [];
    for (const frame of frames) {
      const { height, width } = frame;
      // Floats in its turn alone: they take four times the memory of waiting
      // pictures.
      const encode = () => {
        const pixels = pixelValues(frame, this.checkpoint.preprocessor);
        return this.#runs.encodeFrame(pixels, grid, frame, signal);
      };
      const task = { caller, cost: height * width, signal };
      features.push(await this.#queue.run(encode, task));
    }
    return await this.#runs.latent(features, grid, first!, signal);
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
    kind: FrameKind,
    signal?: AbortSignal,
    caller?: string,
  ): Promise<Floats> {
    return joined(
      await Array.fromAsync(this.#decoded(clip, kind, signal, caller)),
    );
  }

  /** Closes the loaded graphs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  /**
   * Yields the decoder's output for each frame, `[3, H, W]`, when it is asked
   * for.
   *
   * @throws {GridError} If a code is not in the codebook.
   */
  async *#decoded(
    clip: CodeClip,
    kind: FrameKind,
    signal: AbortSignal | undefined,
    caller: string | undefined,
  ): AsyncGenerator<Floats, void> {
    assertCodes(clip.codes, this.codebookSize);
    const size = pixelSize(clip, this);
    const task = { caller, cost: size.height * size.width, signal };
    const frames = this.#runs.frameCount(clip, kind);
    let streams: readonly Floats[] | undefined;
    for (let frame = 0; frame < frames; frame++) {
      yield await this.#queue.run(async () => {
        // In the turn of the first frame, so that callers keep their order.
        streams ??= await this.#runs.streams(clip, size, kind, signal);
        return await this.#runs.decodeFrame(
          streams[frame]!,
          clip,
          size,
          signal,
        );
      }, task);
    }
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
