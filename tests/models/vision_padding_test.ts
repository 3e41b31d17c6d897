import { deepStrictEqual, notDeepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { parseVisionConfig } from "../../models/config/vision_config.ts";
import { weightlessGraph } from "../../models/graph/weightless.ts";
import { Graph } from "../../models/graph/graph.ts";
import { padded } from "../../models/vision/padding.ts";
import { decodeModel } from "../support/decode_model.ts";
import { goldenJson } from "../support/golden.ts";
import { NO_WEIGHTS } from "../support/graphs.ts";
import { RecordedWeights } from "../support/recorded_weights.ts";
import { VISION_GRAPHS } from "../support/vision_graphs.ts";

const published = parseVisionConfig(
  goldenJson("hub/Emu3-VisionTokenizer/config.json"),
);

/** Returns the nodes of an operator in all graphs of the vision tokenizer. */
function nodesOf(operator: string, symmetricPads: boolean) {
  return Object.values(VISION_GRAPHS).flatMap((build) => {
    const options = { computeDtype: "float32", symmetricPads } as const;
    const { model } = build(published, new RecordedWeights(), options);
    return decodeModel(model).nodes
      .filter((node) => node.operator === operator);
  });
}

/** Returns the padding before and after each axis. */
function ends(pads: readonly number[]): readonly (readonly number[])[] {
  const half = pads.length / 2;
  return [pads.slice(0, half), pads.slice(half)];
}

Deno.test("With symmetric pads, no convolution pads the ends of an axis differently", () => {
  const convolutions = nodesOf("Conv", true);
  ok(convolutions.length > 100);
  for (const { attributes } of convolutions) {
    const [begin, end] = ends(attributes["pads"] as number[]);
    deepStrictEqual(begin, end);
  }
  ok(nodesOf("Pad", true).length > 0);
});

Deno.test("A CPU's graphs leave all padding to the convolutions", () => {
  deepStrictEqual(nodesOf("Pad", false), []);
  const uneven = nodesOf("Conv", false).filter(({ attributes }) => {
    const [begin, end] = ends(attributes["pads"] as number[]);
    return begin!.some((pad, axis) => pad !== end![axis]);
  });
  notDeepStrictEqual(uneven, []);
});

// ONNX Runtime fuses a Pad of three inputs or fewer into its convolution.
Deno.test("Every Pad names its axes, so that it is not fused", () => {
  for (const { inputs } of nodesOf("Pad", true)) {
    deepStrictEqual(inputs.map((name) => name !== ""), [
      true,
      true,
      false,
      true,
    ]);
  }
});

Deno.test("padded() adds the same zeros, in one part or in two", () => {
  const side = fc.nat({ max: 3 });
  const pads = fc.integer({ min: 1, max: 3 }).chain((axes) =>
    fc.array(side, { minLength: 2 * axes, maxLength: 2 * axes })
  );
  fc.assert(fc.property(pads, (pads) => {
    const options = { computeDtype: "float32", symmetricPads: true } as const;
    const g = new Graph("padding", NO_WEIGHTS, options);
    const x = g.input("x", "float32", undefined);
    const { input, pads: left } = padded(g, x, pads);
    const { nodes, tensors } = decodeModel(g.build().model);
    const [node] = nodes;
    deepStrictEqual(input === x, node === undefined);
    const added = node === undefined
      ? pads.map(() => 0)
      : [...new BigInt64Array(tensors.get(node.inputs[1]!)!.bytes.buffer)]
        .map(Number);
    deepStrictEqual(left.map((pad, i) => pad + added[i]!), pads);
    const [begin, end] = ends(left);
    deepStrictEqual(begin, end);
  }));
});

Deno.test("padded() leaves the graph as it is where asymmetric padding is supported", () => {
  const g = weightlessGraph("padding");
  const x = g.input("x", "float32", undefined);
  deepStrictEqual(padded(g, x, [0, 0, 1, 1]), {
    input: x,
    pads: [0, 0, 1, 1],
  });
});
