/**
 * The runner of steps in which some rows have two tokens: the last code of a
 * picture row, and EOL.
 *
 * ```text
 * feeds      a: [7]   b: [9, EOL]   c: [4]
 * tokens     7 9 4 EOL               first ones, then second ones
 * first      row a ← 0, b ← 1, c ← 2
 * second     row b ← 3, the others ← any, at positions that are never read
 * ```
 *
 * @module
 */

import type { GraphBinding } from "../runtime/graph_session.ts";
import type { Feed } from "./decoder.ts";
import {
  freePosition,
  inPairs,
  type StepParts,
  stepRows,
  tensorsIn,
} from "../engine/step_runner.ts";

/**
 * The buffers of a step for some number of rows; inputs that depend on the
 * feeds are bound for each step.
 */
interface Buffers {
  readonly binding: GraphBinding;
  readonly turns: readonly Turn[];
}

/** The first or the second token of every row. */
interface Turn {
  readonly name: string;
  /** Index of the token that each row takes, `[B]`. */
  readonly index: BigInt64Array<ArrayBuffer>;
  /** Lengths of the sequences before the token, `[B]`. */
  readonly seqlens: Int32Array<ArrayBuffer>;
  /** Length of the longest sequence, `[]`. */
  readonly total: Int32Array<ArrayBuffer>;
}

/** Runs the arrangement `two_token`. */
export class TwoTokenRunner implements Disposable {
  readonly #parts: StepParts;
  readonly #resources = new DisposableStack();
  readonly #buffers = new Map<number, Buffers>();

  /**
   * Creates the runner; nothing is allocated before the first step of each
   * size.
   */
  constructor(parts: StepParts) {
    this.#parts = parts;
  }

  /**
   * Appends one or two tokens to each of some rows.
   *
   * @param lengths Number of tokens that each slot holds.
   * @returns The hidden state `[E]` of each feed's last token.
   */
  async run(
    feeds: readonly Feed[],
    lengths: Int32Array,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const { cache, hiddenSize: size, adapters } = this.#parts;
    const rows = stepRows(feeds);
    const { binding, turns } = this.#buffers.get(rows) ?? this.#make(rows);
    const pairs = feeds.filter(({ tokens }) => tokens.length > 1);
    const ids = [
      ...feeds.map(({ tokens }) => tokens[0]!),
      ...pairs.map(({ tokens }) => tokens[1]!),
    ];
    const kept = pairs.map(({ slot }) => slot);
    const chosen = [...feeds, ...pairs].map(({ adapter }) => adapter);
    if (inPairs(ids.length) > ids.length) {
      // Its result is ignored.
      ids.push(ids[0]!);
      kept.push(0);
      chosen.push(undefined);
    }
    const [first, second] = turns as [Turn, Turn];
    first.index.fill(0n);
    second.index.fill(0n);
    for (let slot = 0; slot < rows; slot++) {
      const free = freePosition(slot, lengths, cache.positions);
      first.seqlens[slot] = second.seqlens[slot] = free;
    }
    for (const [i, { slot, position }] of feeds.entries()) {
      first.index[slot] = BigInt(i);
      first.seqlens[slot] = position;
      const next = Math.min(position + 1, cache.positions - 1);
      second.seqlens[slot] = next;
    }
    for (const [i, { slot }] of pairs.entries()) {
      second.index[slot] = BigInt(feeds.length + i);
    }
    using inputs = new DisposableStack();
    const tensor = tensorsIn(inputs, this.#parts);
    const integers = (values: readonly number[]) =>
      tensor(BigInt64Array.from(values, BigInt), [values.length]);
    binding.input("input_ids", integers(ids));
    binding.input("first_kept", integers(feeds.map(({ slot }) => slot)));
    binding.input("second_kept", integers(kept));
    for (const { total, seqlens } of turns) {
      total[0] = Math.max(...seqlens) + 1;
    }
    adapters?.bindRows(binding, "two_token", chosen, tensor);
    const hidden = new Float32Array(ids.length * size);
    const shape = [ids.length, size];
    binding.output("hidden", tensor(hidden, shape));
    await binding.run();
    let pair = feeds.length;
    return feeds.map(({ tokens }, i) => {
      const last = tokens.length > 1 ? pair++ : i;
      return hidden.subarray(last * size, (last + 1) * size);
    });
  }

  /** Frees tensors and bindings. */
  [Symbol.dispose](): void {
    this.#resources.dispose();
    this.#buffers.clear();
  }

  #make(rows: number): Buffers {
    const { session, cache, adapters } = this.#parts;
    const binding = this.#resources.use(session.bind());
    const tensor = tensorsIn(this.#resources, this.#parts);
    const turns = ["first", "second"].map((name) => {
      const turn = {
        name,
        index: new BigInt64Array(rows),
        seqlens: new Int32Array(rows),
        total: new Int32Array(1),
      };
      binding.input(`${name}_index`, tensor(turn.index, [rows]));
      binding.input(`seqlens_k.${name}`, tensor(turn.seqlens, [rows]));
      binding.input(`total_sequence_length.${name}`, tensor(turn.total, []));
      cache.bind(binding, 0, rows, name);
      return turn;
    });
    adapters?.bind(binding, "two_token");
    const buffers = { binding, turns };
    this.#buffers.set(rows, buffers);
    return buffers;
  }
}
