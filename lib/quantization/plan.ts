/**
 * The plan of a quantization: all chunks of the source files, with their
 * conversions and the positions of their results in the target files.
 *
 * ```text
 * source file   header │ tensor │ tensor …
 *                        └─ chunks of rows, read once and in order
 * target file   header │ tensor │ codes │ scales │ shape …
 * ```
 *
 * It depends on the headers alone, so results may be written in any order.
 * Planning is deterministic, so that an interrupted run can be resumed.
 *
 * @module
 */

import type { SafetensorsEntry } from "../loading/safetensors.ts";
import { type Conversion, conversionOf, type Recipe } from "./recipe.ts";
import {
  type FilePosition,
  type TargetFile,
  TargetFiles,
} from "./target_files.ts";

/** A file to read. */
export interface SourceFile {
  /** Name in its folder. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Tensors by name. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
}

/** A range of a tensor's rows, which is read, converted and written at once. */
export interface TensorChunk {
  /** Index in the plan. */
  readonly index: number;
  /** Name of the tensor. */
  readonly tensor: string;
  /** Type of its elements. */
  readonly dtype: string;
  /** Index of the source file. */
  readonly file: number;
  /** Offset of the first byte in the file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
  /** Conversion of the chunk. */
  readonly conversion: Conversion;
  /** Positions of the results, in order. */
  readonly targets: readonly FilePosition[];
}

/** The plan of a quantization. */
export interface Plan {
  /** Chunks in the order of the source files, and of their bytes. */
  readonly chunks: readonly TensorChunk[];
  /** Files to write. */
  readonly files: readonly TargetFile[];
}

/** Options of {@linkcode planQuantization}. */
export interface PlanOptions {
  /** Bytes of a chunk, unless a single row is larger. */
  readonly chunkBytes: number;
  /** Bytes of a target file, unless a single tensor is larger. */
  readonly fileBytes: number;
}

/** The position of a tensor's result, and its bytes per row. */
interface Stream {
  readonly start: FilePosition;
  readonly rowBytes: number;
}

/** Plans the quantization of `sources` by `recipe`. */
export function planQuantization(
  sources: readonly SourceFile[],
  recipe: Recipe,
  options: PlanOptions,
): Plan {
  const targets = new TargetFiles(options.fileBytes);
  const chunks: TensorChunk[] = [];
  for (const [file, { tensors }] of sources.entries()) {
    const ordered = [...tensors].sort(([, a], [, b]) => a.offset - b.offset);
    for (const [tensor, entry] of ordered) {
      const conversion = conversionOf({ name: tensor, ...entry }, recipe);
      const streams = placeResults(targets, tensor, entry, conversion);
      for (const part of split(entry, streams, options.chunkBytes)) {
        const index = chunks.length;
        const { dtype } = entry;
        chunks.push({ index, tensor, dtype, file, conversion, ...part });
      }
    }
  }
  return { chunks, files: targets.finish() };
}

/** Reserves the bytes of a tensor's results. */
function placeResults(
  targets: TargetFiles,
  name: string,
  { dtype, shape, length }: SafetensorsEntry,
  conversion: Conversion,
): Stream[] {
  const [rows = 1] = shape;
  const perRow = (length: number) => rows === 0 ? 0 : length / rows;
  if (conversion.kind !== "quantize") {
    const half = conversion.kind === "halve";
    const stored = half ? length / 2 : length;
    const [start] = targets.place([
      { name, dtype: half ? "BF16" : dtype, shape, length: stored },
    ]);
    return [{ start: start!, rowBytes: perRow(stored) }];
  }
  const { bits, blockSize } = conversion;
  const columns = shape[1]!;
  const words = columns * bits / 32;
  const blocks = columns / blockSize;
  const [codes, scales] = targets.place([
    {
      name: `${name}_packed`,
      dtype: "I32",
      shape: [rows, words],
      length: 4 * rows * words,
    },
    {
      name: `${name}_scale`,
      dtype: "F32",
      shape: [rows, blocks],
      length: 4 * rows * blocks,
    },
    {
      name: `${name}_shape`,
      dtype: "I64",
      shape: [2],
      length: 16,
      data: new Uint8Array(BigInt64Array.from(shape, BigInt).buffer),
    },
  ]);
  return [
    { start: codes!, rowBytes: 4 * words },
    { start: scales!, rowBytes: 4 * blocks },
  ];
}

/** Yields chunks of whole rows; the last may be smaller. */
function* split(
  { offset, length, shape }: SafetensorsEntry,
  streams: readonly Stream[],
  chunkBytes: number,
): Generator<Pick<TensorChunk, "offset" | "length" | "targets">> {
  if (length === 0) return;
  const [rows = 1] = shape;
  const rowBytes = length / rows;
  const most = Math.max(1, Math.floor(chunkBytes / rowBytes));
  for (let row = 0; row < rows; row += most) {
    const count = Math.min(most, rows - row);
    yield {
      offset: offset + row * rowBytes,
      length: count * rowBytes,
      targets: streams.map(({ start, rowBytes }) => ({
        file: start.file,
        offset: start.offset + row * rowBytes,
      })),
    };
  }
}
