import {
  deepStrictEqual,
  notStrictEqual,
  strictEqual,
} from "node:assert/strict";
import {
  parseVisionConfig,
  type VisionConfig,
} from "../../models/config/vision_config.ts";
import type { GraphBuilder } from "../../lib/vision/vision_sessions.ts";
import type { GraphOptions } from "../../models/graph/graph_options.ts";
import {
  clipStreamsGraph,
  frameDecoderGraph,
  stillStreamsGraph,
} from "../../models/vision_decoder.ts";
import {
  clipLatentGraph,
  frameEncoderGraph,
  stillLatentGraph,
} from "../../models/vision_encoder.ts";
import { winogradFor } from "../../models/vision/convolution.ts";
import { decodeModel } from "../support/decode_model.ts";
import { goldenJson } from "../support/golden.ts";
import { RecordedWeights } from "../support/recorded_weights.ts";
import { VISION_GRAPHS } from "../support/vision_graphs.ts";
import { vqTensors } from "../support/vq_tensors.ts";

const published = parseVisionConfig(
  goldenJson("hub/Emu3-VisionTokenizer/config.json"),
);
const fp32 = { computeDtype: "float32" } as const;

/** Returns the shapes by key that some graphs request from a checkpoint. */
function requestedBy(
  ...builders: readonly GraphBuilder[]
): Map<string, readonly number[]> {
  const weights = new RecordedWeights();
  for (const builder of builders) builder(published, weights, fp32);
  return new Map(
    [...weights.requested].map(([key, { shape }]) => [key, trimmed(shape)]),
  );
}

/**
 * Returns a shape without trailing dimensions of 1, since a 1×1 convolution is
 * a matrix.
 */
function trimmed(shape: readonly number[]): readonly number[] {
  return shape.slice(0, shape.findLastIndex((side) => side !== 1) + 1);
}

Deno.test("The graphs read every tensor of the published vision tokenizer, in its shape", () => {
  // BatchNorm counts its batches only while it is trained.
  const expected = vqTensors()
    .filter(({ original }) => !original.endsWith("num_batches_tracked"));
  strictEqual(expected.length, 487);
  const actual = requestedBy(...Object.values(VISION_GRAPHS));
  deepStrictEqual(
    new Map([...actual].sort()),
    new Map(
      expected.map((tensor) =>
        [tensor.original, trimmed(tensor.shape)] as const
      ).sort(),
    ),
  );
});

Deno.test("Still graphs read the same tensors as the clip graphs", () => {
  deepStrictEqual(
    new Map([...requestedBy(stillLatentGraph)].sort()),
    new Map([...requestedBy(clipLatentGraph)].sort()),
  );
  deepStrictEqual(
    new Map([...requestedBy(stillStreamsGraph)].sort()),
    new Map([...requestedBy(clipStreamsGraph)].sort()),
  );
});

for (const [name, builder] of Object.entries(VISION_GRAPHS)) {
  Deno.test(`${name}() returns the same bytes each time`, () => {
    const build = () => builder(published, new RecordedWeights(), fp32).model;
    deepStrictEqual(build(), build());
  });
}

/** Returns how often a graph has an operator. */
function operatorCount(
  builder: GraphBuilder,
  operator: string,
  winograd: GraphOptions["winograd"],
): number {
  const options = { ...fp32, winograd };
  const { model } = builder(published, new RecordedWeights(), options);
  return decodeModel(model).nodes
    .filter((node) => node.operator === operator).length;
}

Deno.test("Published pictures of 160 pixels or more are convolved by Winograd's algorithm", () => {
  const sides = [[160, 160], [720, 720], [160, 4096]] as const;
  for (const [height, width] of sides) {
    notStrictEqual(winogradFor(published, { height, width }), undefined);
  }
  notStrictEqual(winogradFor(published), undefined);
  for (const [height, width] of [[152, 720], [720, 8], [64, 64]] as const) {
    strictEqual(winogradFor(published, { height, width }), undefined);
  }
});

Deno.test("Vision tokenizers of few channels are convolved directly at any size", () => {
  strictEqual(winogradFor({ ...published, baseChannels: 32 }), undefined);
});

Deno.test("With Winograd's algorithm, graphs read the same tensors and no 3 × 3 convolution of 256 channels is left", () => {
  const winograd = winogradFor(published);
  for (const builder of Object.values(VISION_GRAPHS)) {
    const direct = new RecordedWeights();
    const tiled = new RecordedWeights();
    builder(published, direct, fp32);
    const { model } = builder(published, tiled, { ...fp32, winograd });
    deepStrictEqual(tiled.requested, direct.requested);
    const { nodes, tensors } = decodeModel(model);
    const wide = nodes.filter(({ operator, inputs, attributes }) => {
      const [to = 0, from = 0, ...kernel] = tensors.get(inputs[1]!)?.shape ??
        [];
      const [stride] = attributes["strides"] as number[] ?? [];
      return operator === "Conv" && Math.min(from, to) >= 256 &&
        stride === 1 && kernel.at(-1) === 3;
    });
    deepStrictEqual(wide, []);
  }
  // Each doubled picture was a Resize; those of codes for the norms are left.
  const resizes = (choice: GraphOptions["winograd"]) =>
    operatorCount(frameDecoderGraph, "Resize", choice);
  strictEqual(resizes(undefined) - resizes(winograd), 3);
});

Deno.test("Levels whose sides may be no multiple of a tile are cropped, whatever their number", () => {
  const cropped = (config: VisionConfig, level: number) => {
    const options = { ...fp32, winograd: winogradFor(published) };
    const weights = new RecordedWeights();
    const { nodes, tensors } = decodeModel(
      frameEncoderGraph(config, weights, options).model,
    );
    return nodes.some(({ operator, name, inputs }) =>
      operator === "Slice" && name.startsWith(`encoder/down.${level}/`) &&
      // Strips are cut along rows only.
      tensors.get(inputs[3]!)?.shape[0] === 2
    );
  };
  deepStrictEqual(
    [0, 1, 2, 3].map((level) => cropped(published, level)),
    [false, false, true, true],
  );
  const small = { ...published, channelMultipliers: [1, 2] };
  deepStrictEqual([0, 1].map((level) => cropped(small, level)), [true, true]);
});

/**
 * Returns the outputs of nodes that a run must compute before `name`, by the
 * producers of its inputs.
 */
function computedBefore(
  name: string,
  producers: ReadonlyMap<string, { readonly inputs: readonly string[] }>,
): ReadonlySet<string> {
  const before = new Set<string>();
  const visit = (output: string) => {
    for (const input of producers.get(output)?.inputs ?? []) {
      if (before.has(input)) continue;
      before.add(input);
      visit(input);
    }
  };
  visit(name);
  return before;
}

Deno.test("frameDecoderGraph() computes the parts of a modulated norm one after the other", () => {
  const { model } = frameDecoderGraph(published, new RecordedWeights(), fp32);
  const { nodes } = decodeModel(model);
  const producers = new Map(
    nodes.flatMap((node) => node.outputs.map((name) => [name, node])),
  );
  const outputs = (part: string) =>
    nodes.filter(({ name }) => name.includes(part)).map((node) =>
      node.outputs[0]!
    );
  const [factors, offsets] = ["/conv_y/Conv", "/conv_b/Conv"].map(outputs);
  // Two in each residual block, one in each attention, one at the end.
  strictEqual(factors!.length, 2 * (2 + 4 * 3) + (1 + 3) + 1);
  strictEqual(offsets!.length, factors!.length);
  const normed = outputs("/norm_layer/InstanceNormalization");
  for (const [i, factor] of factors!.entries()) {
    const beforeFactor = computedBefore(factor, producers);
    strictEqual(beforeFactor.has(normed[i]!), true, factor);
    const beforeOffset = computedBefore(offsets![i]!, producers);
    strictEqual(beforeOffset.has(factor), true, offsets![i]!);
  }
});
