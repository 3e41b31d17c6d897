/**
 * The {@linkcode Decoder} on a device other than the CPU.
 *
 * One arrangement, which works on all devices, is used for prompts and steps: a
 * few rows with the same number of tokens, each with its own keys and values.
 * Keys and values stay on the device. Hidden states, a few kilobytes per row,
 * are copied to the host and back for the head, since the policy selects the
 * scored ones in between.
 *
 * @module
 */

import type { Arrangement } from "../../models/attention.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { DeviceMemory } from "../runtime/memory/device_memory.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { unreported } from "../loading_phase.ts";
import type { Decoder, Feed, MultiTokenRow } from "./decoder.ts";
import { AdapterStack } from "./adapter_stack.ts";
import { DecoderSessions } from "./decoder_sessions.ts";
import {
  BLOCK_TOKENS,
  DeviceCache,
  type DeviceSnapshot,
} from "./device_cache.ts";
import { DeviceRunner } from "./device_runner.ts";
import { type CodeTokens, Heads } from "./heads.ts";
import type { LoadingDecoder, OnnxDecoderOptions } from "./onnx_decoder.ts";
import type { Head } from "../engine/policy.ts";

/** Options of {@linkcode DeviceDecoder.open}. */
export interface DeviceDecoderOptions extends OnnxDecoderOptions {
  /** Number of tokens by which a slot's memory grows. */
  readonly block?: number;
}

/**
 * Arrangements that are loaded at the start: prompts run alone, guided pictures
 * in pairs. Others load on first use.
 */
const FIRST: readonly Arrangement[] = [1, 2].map((rows) => ({
  type: "multi_token",
  rows,
  explicitPositions: false,
}));

/** A language model on a device. */
export class DeviceDecoder implements Decoder<DeviceSnapshot>, LoadingDecoder {
  readonly #options: DeviceDecoderOptions;
  readonly #sessions: DecoderSessions;
  readonly #heads: Heads;
  readonly #cache: DeviceCache;
  readonly #runner: DeviceRunner;
  readonly #adapters: AdapterStack | undefined;

  private constructor(
    parts: { runtime: Runtime; device: DeviceMemory; config: LanguageConfig },
    sessions: DecoderSessions,
    heads: Heads,
    options: DeviceDecoderOptions,
    adapters: AdapterStack | undefined,
  ) {
    const { runtime, device, config } = parts;
    this.#adapters = adapters;
    this.#options = options;
    this.#sessions = sessions;
    this.#heads = heads;
    const cache = new DeviceCache(
      device,
      config,
      {
        positions: options.contextLength,
        dtype: options.cacheDtype,
        block: options.block ?? BLOCK_TOKENS,
      },
      (slot) => this.#runner.forget(slot),
    );
    this.#cache = cache;
    const { hiddenSize } = config;
    const spare = options.slots;
    this.#runner = new DeviceRunner({
      runtime,
      sessions,
      cache,
      hiddenSize,
      spare,
      adapters,
    });
  }

  /**
   * Copies the weights of a checkpoint to the device and loads its graphs.
   *
   * @throws {CheckpointError} If a weight is missing or has another shape.
   * @throws {RuntimeError} If ONNX Runtime refuses a graph, or the device has
   * too little memory.
   */
  static async open(
    runtime: Runtime,
    checkpoint: LanguageCheckpoint,
    vocabulary: CodeTokens,
    options: DeviceDecoderOptions,
  ): Promise<DeviceDecoder> {
    const { device } = runtime;
    if (device === undefined) {
      throw new TypeError("Cannot open decoder: the runtime has no device");
    }
    const { config } = checkpoint;
    const adapters = await AdapterStack.load(runtime, options.adapters ?? []);
    const sessions = new DecoderSessions(runtime, checkpoint, {
      positions: options.contextLength,
      cacheDtype: options.cacheDtype,
      cacheScales: options.cacheScales,
      adapters,
    });
    try {
      const runPhase = options.runPhase ?? unreported;
      await runPhase("graphs", () => {
        for (const arrangement of FIRST) sessions.prepare(arrangement);
        return Promise.resolve();
      });
      const headOptions = {
        config,
        vocabulary,
        heads: options.heads,
        own: adapters?.heads,
      };
      const heads = await runPhase("weights", async () => {
        for (const arrangement of FIRST) await sessions.decoder(arrangement);
        return await Heads.open(runtime, sessions, headOptions);
      });
      const parts = { runtime, device, config };
      return new DeviceDecoder(parts, sessions, heads, options, adapters);
    } catch (error) {
      await sessions[Symbol.asyncDispose]();
      adapters?.[Symbol.dispose]();
      throw error;
    }
  }

  get isLoaded(): boolean {
    return true;
  }

  finishLoading(): Promise<void> {
    return Promise.resolve();
  }

  get slots(): number {
    return this.#options.slots;
  }

  get contextLength(): number {
    return this.#options.contextLength;
  }

  get chunkLength(): number {
    return this.#options.chunkLength;
  }

  async prefill(
    slot: number,
    tokens: Int32Array,
    start: number,
    signal?: AbortSignal,
    adapter?: string,
  ): Promise<Float32Array<ArrayBuffer>> {
    const row = { slot, tokens: [...tokens], position: start, adapter };
    const [hidden] = await this.multiTokenStep([row], signal);
    return hidden!;
  }

  async step(feeds: readonly Feed[]): Promise<Float32Array<ArrayBuffer>[]> {
    const last = new Map<Feed, Float32Array<ArrayBuffer>>();
    // All rows of a run have the same number of tokens: first those with one,
    // then those with two.
    const byLength = Map.groupBy(feeds, ({ tokens }) => tokens.length);
    for (const [length, group] of byLength) {
      const hidden = await this.multiTokenStep(group);
      for (const [i, feed] of group.entries()) {
        const width = hidden[i]!.length / length;
        last.set(feed, hidden[i]!.subarray(-width));
      }
    }
    return feeds.map((feed) => last.get(feed)!);
  }

  async multiTokenStep(
    rows: readonly MultiTokenRow[],
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    for (const { position, tokens } of rows) {
      this.#assertFits(position + tokens.length);
    }
    return await this.#runner.run(rows, signal);
  }

  save(slot: number, tokens: number): Promise<DeviceSnapshot> {
    return this.#cache.save(slot, tokens);
  }

  async restore(
    slot: number,
    snapshot: DeviceSnapshot,
    tokens: number,
  ): Promise<void> {
    await this.#cache.restore(slot, snapshot, tokens);
  }

  discard(snapshot: DeviceSnapshot): void {
    this.#cache.discard(snapshot);
  }

  // Nothing is copied, so the move is immediate.
  move(from: number, to: number): Promise<void> {
    this.#cache.move(from, to);
    return Promise.resolve();
  }

  /** Does nothing: the next sequence overwrites the contents. */
  release(_slot: number): void {}

  trim(slot: number): void {
    this.#cache.trim(slot);
  }

  logits(
    head: Head,
    hidden: readonly Float32Array<ArrayBuffer>[],
    adapters?: readonly (string | undefined)[],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    return this.#heads.logits(head, hidden, adapters);
  }

  /** Closes the graphs and the cache. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Sessions wait for runs in flight, which still use tensors and cache.
    await this.#sessions[Symbol.asyncDispose]();
    this.#runner[Symbol.dispose]();
    this.#heads[Symbol.dispose]();
    this.#cache[Symbol.dispose]();
    this.#adapters?.[Symbol.dispose]();
  }

  #assertFits(tokens: number): void {
    if (tokens <= this.contextLength) return;
    throw new RangeError(
      `Cannot hold ${tokens} tokens: a slot has a capacity of ${this.contextLength}`,
    );
  }
}
