/**
 * The trace of a graph's intermediate values, for debugging a checkpoint or a
 * port.
 *
 * Blocks mark their results under the names of the checkpoint; a graph that is
 * built with `trace` outputs all of them.
 *
 * ```ts ignore
 * const { config, weights, weightFolder } = checkpoint;
 * const options = { computeDtype: "float32", trace: true } as const;
 * const graph = frameEncoderGraph(config, weights, options);
 * const inside = await trace(runtime, graph, weightFolder, { pixels });
 * inside.get("encoder.down.0.block.0");
 * ```
 *
 * @module
 */

import type { BuiltGraph } from "../models/graph/built_graph.ts";
import type { OutputCopy } from "./runtime/outputs.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { Tensor } from "./runtime/tensor.ts";

/** The prefix of the names of marked values. */
const PREFIX = "trace/";

/**
 * Runs a graph once and returns its marked values by name.
 *
 * @param graph Graph built with `trace: true`.
 * @param weightFolder Folder of the checkpoint.
 * @param inputs All inputs of the graph, by name.
 */
export async function trace(
  runtime: Runtime,
  graph: BuiltGraph,
  weightFolder: string,
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Map<string, OutputCopy>> {
  const options = { weightFolder, prepack: false };
  await using session = await runtime.session(graph.model, options);
  using binding = session.bind();
  for (const [name, tensor] of Object.entries(inputs)) {
    binding.input(name, tensor);
  }
  for (const name of graph.traced) runtime.bindUnknown(binding, name);
  await binding.run();
  const outputs = binding.outputs();
  return new Map(
    graph.traced.map((name, i) => [name.slice(PREFIX.length), outputs[i]!]),
  );
}
