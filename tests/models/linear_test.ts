import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { quantizeRows } from "../../lib/quantization/quantize_rows.ts";
import { Graph } from "../../models/graph/graph.ts";
import type { Weights } from "../../models/graph/weights.ts";
import { embedding, linear } from "../../models/linear.ts";
import { decodeModel } from "../support/decode_model.ts";
import { dequantize } from "../support/dequantize.ts";
import { RecordedWeights } from "../support/recorded_weights.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const OUTPUTS = 24;
const INPUTS = 64;
const shape = [OUTPUTS, INPUTS] as const;

/** Returns weights of codes, then scales, in one file. */
function quantizedWeights(
  location: string,
  bits: 4 | 8,
  blockSize: number,
  [outputs, inputs]: readonly [number, number] = shape,
): Weights {
  const blocks = inputs / blockSize;
  const codeBytes = outputs * inputs * bits / 8;
  return {
    find: (key) => {
      throw new Error(`there is no "${key}"`);
    },
    findQuantized: () => ({
      bits,
      blockSize,
      codes: {
        dtype: "uint8",
        shape: [outputs, blocks, blockSize * bits / 8],
        location,
        offset: 0,
        length: codeBytes,
      },
      scales: {
        dtype: "float32",
        shape: [outputs, blocks],
        location,
        offset: codeBytes,
        length: outputs * blocks * 4,
      },
    }),
  };
}

for (const bits of [4, 8] as const) {
  for (const blockSize of [16, 32, 64]) {
    Deno.test(`linear() multiplies codes of ${bits} bits in blocks of ${blockSize}, or some of their rows`, async () => {
      const values = Float32Array.from(
        { length: OUTPUTS * INPUTS },
        (_, i) => Math.sin(i * i),
      );
      const { codes, scales } = quantizeRows(values, { bits, blockSize });
      const matrix = dequantize(codes, scales, bits);
      using folder = temporaryFolder();
      const bytes = new Uint8Array(codes.length + scales.byteLength);
      bytes.set(codes);
      bytes.set(new Uint8Array(scales.buffer), codes.length);
      folder.write("weights", bytes);
      const weights = quantizedWeights("weights", bits, blockSize);
      for (const rows of [undefined, { start: 5, count: 8 }]) {
        const { start, count } = rows ?? { start: 0, count: OUTPUTS };
        const y = await product(weights, folder.path, rows);
        for (let row = 0; row < 2; row++) {
          for (let n = 0; n < count; n++) {
            let expected = 0;
            for (let k = 0; k < INPUTS; k++) {
              expected += input[row * INPUTS + k]! *
                matrix[(start + n) * INPUTS + k]!;
            }
            const actual = y[row * count + n]!;
            // Activations are rounded to int8.
            ok(Math.abs(actual - expected) < 0.1, `${actual}, ${expected}`);
          }
        }
      }
    });
  }
}

const input = Float32Array.from(
  { length: 2 * INPUTS },
  (_, i) => Math.cos(3 * i),
);

async function product(
  weights: Weights,
  weightFolder: string,
  rows: { start: number; count: number } | undefined,
): Promise<Float32Array> {
  const g = new Graph("test", weights, { computeDtype: "float32" });
  const x = g.input("x", "float32", [2, INPUTS]);
  const count = rows?.count ?? OUTPUTS;
  g.output("y", linear(g, x, "layer", shape, rows), "float32", [2, count]);
  await using runtime = new Runtime({ threads: 1 });
  const session = await runtime.session(g.build().model, {
    weightFolder,
    prepack: true,
  });
  const y = new Float32Array(2 * count);
  using binding = session.bind();
  using from = runtime.tensor(input, [2, INPUTS]);
  using to = runtime.tensor(y, [2, count]);
  await binding.input("x", from).output("y", to).run();
  return y;
}

for (const [bits, blockSize] of [[4, 128], [8, 32]] as const) {
  Deno.test(`linear() of ${bits} bits returns bit-identical rows in any even number of rows`, async () => {
    // Wide enough for every kernel that real models use.
    const [outputs, inputs] = [704, 1024];
    const values = Float32Array.from(
      { length: outputs * inputs },
      (_, i) => Math.sin(i * i),
    );
    const { codes, scales } = quantizeRows(values, { bits, blockSize });
    using folder = temporaryFolder();
    const bytes = new Uint8Array(codes.length + scales.byteLength);
    bytes.set(codes);
    bytes.set(new Uint8Array(scales.buffer), codes.length);
    folder.write("weights", bytes);
    const of = [outputs, inputs] as const;
    const weights = quantizedWeights("weights", bits, blockSize, of);
    const g = new Graph("test", weights, { computeDtype: "float32" });
    const x = g.input("x", "float32", ["B", inputs]);
    g.output("y", linear(g, x, "layer", of), "float32", ["B", outputs]);
    await using runtime = new Runtime({ threads: 2 });
    const session = await runtime.session(g.build().model, {
      weightFolder: folder.path,
      prepack: true,
    });
    const row = Float32Array.from(
      { length: inputs },
      (_, i) => Math.cos(7 * i),
    );
    let expected: Float32Array | undefined;
    for (let rows = 2; rows <= 32; rows += 2) {
      const all = new Float32Array(rows * inputs);
      for (let i = 0; i < rows; i++) all.set(row, i * inputs);
      const y = new Float32Array(rows * outputs);
      using binding = session.bind();
      using from = runtime.tensor(all, [rows, inputs]);
      using to = runtime.tensor(y, [rows, outputs]);
      await binding.input("x", from).output("y", to).run();
      expected ??= y.slice(0, outputs);
      for (let i = 0; i < rows; i++) {
        const own = y.subarray(i * outputs, (i + 1) * outputs);
        deepStrictEqual(own, expected, `row ${i} of ${rows}`);
      }
    }
  });
}

Deno.test("linear() multiplies floats as they are stored, untransposed", () => {
  const g = new Graph("test", new RecordedWeights(), {
    computeDtype: "float32",
  });
  linear(g, g.input("x", "float32", ["B", INPUTS]), "layer", shape);
  const [node] = decodeModel(g.build().model).nodes;
  strictEqual(node!.operator, "FusedMatMul");
  deepStrictEqual(node!.inputs, ["x", "layer.weight"]);
});

Deno.test("linear() multiplies floats as [in, out] if the device requires it", () => {
  for (const supplied of [true, false]) {
    const g = new Graph("test", new RecordedWeights("bfloat16"), {
      computeDtype: "float16",
      transposed: true,
      supplied,
    });
    const rows = { start: 4, count: 6 };
    linear(g, g.input("x", "float16", ["B", INPUTS]), "layer", shape, rows);
    const { model, supplied: handed } = g.build();
    const { nodes } = decodeModel(model);
    deepStrictEqual(
      nodes.map(({ operator }) => operator),
      supplied ? ["MatMul"] : ["Cast", "Transpose", "MatMul"],
    );
    if (!supplied) continue;
    const [weight] = handed;
    deepStrictEqual(weight!.shape, [INPUTS, rows.count]);
    deepStrictEqual(weight!.stored.shape, [rows.count, INPUTS]);
    strictEqual(weight!.stored.offset, rows.start * INPUTS * 2);
    strictEqual(weight!.transposed, true);
    strictEqual(weight!.dtype, "float16");
  }
});

for (const whole of [true, false]) {
  Deno.test(`linear() of quantized weights ${whole ? "keeps" : "rounds"} activations as the device requires`, () => {
    const g = new Graph("test", quantizedWeights("weights", 8, 32), {
      computeDtype: "float32",
      wholeActivations: whole,
    });
    linear(g, g.input("x", "float32", ["B", INPUTS]), "layer", shape);
    const [node] = decodeModel(g.build().model).nodes;
    strictEqual(node!.attributes["accuracy_level"], whole ? 0 : 4);
  });
}

Deno.test("embedding() reads a table in the computing type if the device requires it", () => {
  const g = new Graph("test", new RecordedWeights("bfloat16"), {
    computeDtype: "float16",
    castTables: true,
    supplied: true,
  });
  embedding(g, g.input("ids", "int64", ["B"]), "table", [100, 8]);
  const { model, supplied } = g.build();
  const { nodes } = decodeModel(model);
  deepStrictEqual(nodes.map(({ operator }) => operator), ["Gather"]);
  strictEqual(supplied[0]!.dtype, "float16");
});

Deno.test("embedding() casts the rows that are looked up, never the table", () => {
  for (const dtype of ["float32", "float16", "bfloat16"] as const) {
    const g = new Graph("test", new RecordedWeights(dtype), {
      computeDtype: "float32",
    });
    embedding(g, g.input("ids", "int64", ["B"]), "table", [100, 8]);
    const { nodes } = decodeModel(g.build().model);
    deepStrictEqual(nodes[0]!.inputs, ["table.weight", "ids"]);
    deepStrictEqual(
      nodes.map(({ operator }) => operator),
      dtype === "float32" ? ["Gather"] : ["Gather", "Cast"],
    );
  }
});
