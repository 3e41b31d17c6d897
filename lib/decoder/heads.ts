/**
 * The heads of a decoder, by name.
 *
 * @module
 */

import type { StoredTensor } from "../../models/graph/weights.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Vocabulary } from "../vocabulary.ts";
import type { DecoderSessions } from "./decoder_sessions.ts";
import { HeadRunner } from "./head_runner.ts";
import type { Head } from "../engine/policy.ts";

/** The position of codes in the vocabulary. */
export type CodeTokens = Pick<Vocabulary, "firstCode" | "codebookSize">;

/** Options of {@linkcode Heads.open}. */
export interface HeadsOptions {
  /** Configuration with the model's sizes. */
  readonly config: LanguageConfig;
  /** Position of the codes. */
  readonly vocabulary: CodeTokens;
  /** Heads to load. */
  readonly heads: readonly Head[];
  /** Matrices of the adapters' own heads, by name of the adapter. */
  readonly own?: ReadonlyMap<string, StoredTensor> | undefined;
}

/** Heads by name. */
type Runners = ReadonlyMap<Head, HeadRunner>;

/** Holds the loaded heads of a decoder. */
export class Heads implements Disposable {
  readonly #runners: Runners;
  /** The own heads of adapters, by name of the adapter. */
  readonly #own: ReadonlyMap<string, Runners>;

  private constructor(runners: Runners, own: ReadonlyMap<string, Runners>) {
    this.#runners = runners;
    this.#own = own;
  }

  /**
   * Loads heads.
   *
   * @throws {CheckpointError} If a weight is missing or has another shape.
   * @throws {RuntimeError} If ONNX Runtime refuses a graph.
   */
  static async open(
    runtime: Runtime,
    sessions: DecoderSessions,
    { config, vocabulary, heads, own = new Map() }: HeadsOptions,
  ): Promise<Heads> {
    const open = async (matrix?: StoredTensor) => {
      const runners = new Map<Head, HeadRunner>();
      for (const head of heads) {
        const rows = head === "codes"
          ? { start: vocabulary.firstCode, count: vocabulary.codebookSize }
          : { start: 0, count: config.vocabularySize };
        const session = await sessions.head(rows, matrix);
        const runner = [runtime, session, config.hiddenSize] as const;
        runners.set(head, new HeadRunner(...runner, rows.count));
      }
      return runners;
    };
    const owned = new Map<string, Runners>();
    for (const [name, matrix] of own) owned.set(name, await open(matrix));
    return new Heads(await open(), owned);
  }

  /** Returns true if a head is loaded. */
  has(head: Head): boolean {
    return this.#runners.has(head);
  }

  /**
   * Returns the logits, `[V]` each, of hidden states, `[E]` each; valid until
   * the next call.
   *
   * @param adapters Adapter name of each hidden state; none by default.
   */
  async logits(
    head: Head,
    hidden: readonly Float32Array<ArrayBuffer>[],
    adapters: readonly (string | undefined)[] = [],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const byRunners = Map.groupBy(
      hidden.keys(),
      (i) => this.#own.get(adapters[i] ?? "") ?? this.#runners,
    );
    const logits = new Map<number, Float32Array<ArrayBuffer>>();
    for (const [runners, members] of byRunners) {
      const states = members.map((i) => hidden[i]!);
      const some = await this.#run(runners.get(head), head, states);
      for (const [i, member] of members.entries()) logits.set(member, some[i]!);
    }
    return hidden.map((_, i) => logits.get(i)!);
  }

  async #run(
    runner: HeadRunner | undefined,
    head: Head,
    hidden: readonly Float32Array<ArrayBuffer>[],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    if (runner === undefined) {
      throw new TypeError(`Cannot score ${head}: this head is not loaded`);
    }
    return await runner.run(hidden);
  }

  /** Frees tensors and bindings, not the sessions. */
  [Symbol.dispose](): void {
    for (const runners of [this.#runners, ...this.#own.values()]) {
      for (const runner of runners.values()) runner[Symbol.dispose]();
    }
  }
}
