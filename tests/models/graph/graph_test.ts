import {
  deepStrictEqual,
  notStrictEqual,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import { Graph } from "../../../models/graph/graph.ts";
import type { Weights } from "../../../models/graph/weights.ts";
import { type DecodedModel, decodeModel } from "../../support/decode_model.ts";
import { RecordedWeights } from "../../support/recorded_weights.ts";

const FLOAT32 = 1;
const FLOAT16 = 10;
const BFLOAT16 = 16;

/** Returns the written form of a graph of the given calls. */
function written(
  build: (g: Graph) => void,
  weights: Weights = new RecordedWeights(),
  options: ConstructorParameters<typeof Graph>[2] = { computeDtype: "float32" },
): DecodedModel {
  const g = new Graph("test", weights, options);
  build(g);
  return decodeModel(g.build().model);
}

Deno.test("Graph names nodes by their path, and no two alike", () => {
  const { nodes } = written((g) => {
    const x = g.input("x", "float32", ["B"]);
    g.scope("model.layers.0", () => {
      g.scope("mlp", () => g.apply("Sigmoid", [g.apply("Sigmoid", [x])]));
      g.apply("Neg", [x]);
    });
    g.apply("Neg", [x]);
  });
  const names = nodes.map(({ name }) => name);
  deepStrictEqual(names.map((name) => name.replace(/\d+$/, "#")), [
    "model.layers.0/mlp/Sigmoid_#",
    "model.layers.0/mlp/Sigmoid_#",
    "model.layers.0/Neg_#",
    "Neg_#",
  ]);
  strictEqual(new Set(names).size, names.length);
  deepStrictEqual(nodes[1]!.inputs, nodes[0]!.outputs);
});

Deno.test("Graph reads weights by path and name, and only points at them", () => {
  const weights = new RecordedWeights();
  weights.find("elsewhere", [10]);
  const { tensors } = written((g) => {
    g.scope(
      "model.layers.3",
      () => g.scope("self_attn", () => g.weight("q_proj.weight", [4, 2])),
    );
  }, weights);
  deepStrictEqual([...tensors], [["model.layers.3.self_attn.q_proj.weight", {
    dataType: FLOAT32,
    shape: [4, 2],
    bytes: new Uint8Array(),
    external: { location: "made/up.safetensors", offset: "40", length: "32" },
  }]]);
});

Deno.test("Graph enters a weight once, however often it is used", () => {
  const { tensors, nodes } = written((g) => {
    const first = g.weight("codebook", [3, 2]);
    deepStrictEqual(g.weight("codebook", [3, 2]), first);
    notStrictEqual(
      g.weight("codebook", [3, 2], { start: 1, count: 1 }).name,
      first.name,
    );
  }, new RecordedWeights("bfloat16"));
  strictEqual(tensors.size, 2);
  strictEqual(nodes.length, 2);
});

for (const [dtype, bytes] of [["float32", 4], ["bfloat16", 2]] as const) {
  Deno.test(`Graph addresses rows of a ${dtype} matrix in place`, () => {
    const weights = new RecordedWeights(dtype);
    weights.find("before", [100]);
    const { tensors } = written((g) => {
      g.weight("lm_head.weight", [50, 8], { start: 20, count: 30 });
    }, weights);
    const { shape, external } = tensors.get("lm_head.weight[20:50]")!;
    deepStrictEqual(shape, [30, 8]);
    strictEqual(Number(external["offset"]), (100 + 20 * 8) * bytes);
    strictEqual(Number(external["length"]), 30 * 8 * bytes);
  });
}

Deno.test("Graph casts weights that are stored in another type than the computing type", () => {
  const { tensors, nodes } = written((g) => {
    const weight = g.weight("w", [2]);
    g.apply("Neg", [weight]);
  }, new RecordedWeights("bfloat16"));
  strictEqual(tensors.get("w")!.dataType, BFLOAT16);
  const [cast, neg] = nodes;
  strictEqual(cast!.operator, "Cast");
  deepStrictEqual(cast!.inputs, ["w"]);
  deepStrictEqual(cast!.attributes, { to: FLOAT32 });
  deepStrictEqual(neg!.inputs, cast!.outputs);
});

Deno.test("Graph writes constants as their bytes", () => {
  const { tensors } = written((g) => {
    g.integers(2, -1);
    g.scalar(7);
    g.floats(Float32Array.of(0.5, -2).subarray(1), [1]);
  });
  const [integers, scalar, floats] = [...tensors.values()];
  const int64 = ({ buffer, byteOffset, byteLength }: Uint8Array) => [
    ...new BigInt64Array(buffer.slice(byteOffset, byteOffset + byteLength)),
  ];
  deepStrictEqual(integers!.shape, [2]);
  deepStrictEqual(int64(integers!.bytes), [2n, -1n]);
  deepStrictEqual(scalar!.shape, []);
  deepStrictEqual(int64(scalar!.bytes), [7n]);
  deepStrictEqual([...floats!.bytes], [0, 0, 0, 0xc0]);
});

Deno.test("Graph casts constants to the computing type", () => {
  const { nodes, outputs } = written(
    (g) => {
      const value = g.floats(Float32Array.of(1), [1]);
      g.output("y", value, g.computeDtype, [1]);
    },
    new RecordedWeights(),
    { computeDtype: "float16" },
  );
  deepStrictEqual(nodes[0]!.attributes, { to: FLOAT16 });
  deepStrictEqual(outputs, [{ name: "y", elementType: FLOAT16, shape: [1] }]);
});

Deno.test("Graph writes every kind of attribute", () => {
  const { nodes } = written((g) => {
    const x = g.input("x", "float32", []);
    g.apply("Anything", [x], {
      axis: -1,
      mode: "nearest",
      epsilon: { float: 0.5 },
      whole: { float: 1 },
      to: { dtype: "float16" },
      pads: [0, 1, -2],
    });
  });
  deepStrictEqual(nodes[0]!.attributes, {
    axis: -1,
    mode: "nearest",
    epsilon: 0.5,
    whole: 1,
    to: FLOAT16,
    pads: [0, 1, -2],
  });
});

Deno.test("Graph writes omitted inputs as empty, and keeps ports as declared", () => {
  const { nodes, inputs, outputs, operatorSets } = written((g) => {
    const x = g.input("x", "int64", ["B", 3]);
    const [y] = g.applyNamed("Clip", [x, undefined, x], ["y", "z"]);
    g.declareOutput("y", "int64", ["B", 3]);
    strictEqual(y!.name, "y");
    g.apply("FusedMatMul", [x, x], { transB: 1 });
  });
  deepStrictEqual(nodes[0]!.inputs, ["x", "", "x"]);
  deepStrictEqual(nodes[0]!.outputs, ["y", "z"]);
  deepStrictEqual(nodes.map(({ domain }) => domain), ["", "com.microsoft"]);
  ok(nodes.every(({ domain }) => domain in operatorSets));
  deepStrictEqual(inputs, [{ name: "x", elementType: 7, shape: ["B", 3] }]);
  deepStrictEqual(outputs, [{ name: "y", elementType: 7, shape: ["B", 3] }]);
});

Deno.test("Graph makes marked values outputs only when tracing", () => {
  const build = (g: Graph) => {
    const x = g.input("x", "float32", ["B", 2]);
    g.scope("encoder", () => {
      g.mark("conv_in", x);
      g.mark("conv_in", x);
    });
  };
  const options = { computeDtype: "float32" } as const;
  const weights = new RecordedWeights();
  deepStrictEqual(written(build, weights, options).outputs, []);
  const { outputs } = written(build, weights, { ...options, trace: true });
  deepStrictEqual(outputs, [
    { name: "trace/encoder.conv_in", elementType: FLOAT32, shape: undefined },
    { name: "trace/encoder.conv_in#1", elementType: FLOAT32, shape: undefined },
  ]);
});

Deno.test("Graph leaves a scope if its body fails", () => {
  const { nodes } = written((g) => {
    const x = g.input("x", "float32", []);
    throws(() =>
      g.scope("inner", () => {
        throw new RangeError("no");
      }), RangeError);
    g.apply("Neg", [x]);
  });
  ok(nodes[0]!.name.startsWith("Neg"));
});
