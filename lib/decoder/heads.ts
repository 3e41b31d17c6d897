/**
 * The heads of a decoder, by name.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Vocabulary } from "../vocabulary.ts";
import type { DecoderSessions } from "./decoder_sessions.ts";
import { HeadRunner } from "./head_runner.ts";
import type { Head } from "../engine/policy.ts";

/** The position of codes in the vocabulary. */
export type CodeTokens = Pick<Vocabulary, "firstCode" | "codebookSize">;

/** Holds the loaded heads of a decoder. */
export class Heads implements Disposable {
  readonly #runners: ReadonlyMap<Head, HeadRunner>;

  private constructor(runners: ReadonlyMap<Head, HeadRunner>) {
    this.#runners = runners;
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
    { config, vocabulary, heads }: {
      readonly config: LanguageConfig;
      readonly vocabulary: CodeTokens;
      readonly heads: readonly Head[];
    },
  ): Promise<Heads> {
    const runners = new Map<Head, HeadRunner>();
    for (const head of heads) {
      const rows = head === "codes"
        ? { start: vocabulary.firstCode, count: vocabulary.codebookSize }
        : { start: 0, count: config.vocabularySize };
      const session = await sessions.head(rows);
      const runner = [runtime, session, config.hiddenSize] as const;
      runners.set(head, new HeadRunner(...runner, rows.count));
    }
    return new Heads(runners);
  }

  /** Returns true if a head is loaded. */
  has(head: Head): boolean {
    return this.#runners.has(head);
  }

  /**
   * Returns the logits, `[V]` each, of hidden states, `[E]` each; valid until
   * the next call.
   */
  async logits(
    head: Head,
    hidden: readonly Float32Array<ArrayBuffer>[],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const runner = this.#runners.get(head);
    if (runner === undefined) {
      throw new TypeError(`Cannot score ${head}: this head is not loaded`);
    }
    return await runner.run(hidden);
  }

  /** Frees tensors and bindings, not the sessions. */
  [Symbol.dispose](): void {
    for (const runner of this.#runners.values()) runner[Symbol.dispose]();
  }
}
