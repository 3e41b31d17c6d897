/**
 * The cost of tuning one layer of the published size: time and memory of its
 * forward and backward pass with an adapter, beside the plan's figure.
 *
 *     deno run -A tests/bench/tuning_layer.ts [tokens=4160] [threads=2]
 *
 * @module
 */

import { parseLanguageConfig } from "../../models/config/language_config.ts";
import { elementCount } from "../../models/graph/dtype.ts";
import { rotaryAngles } from "../../models/rotary.ts";
import { updatedName } from "../../models/tuning/matrix.ts";
import {
  backwardLayerGraph,
  forwardLayerGraph,
  type LayerOptions,
} from "../../models/tuning/layer.ts";
import {
  LAYER_MATRICES,
  LAYER_NORMS,
  matrixShape,
} from "../../models/tuning/layer_parts.ts";
import { adapterNames, gradientName } from "../../models/tuning/matrix.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import type { Binding } from "../../lib/runtime/session.ts";
import type { Tensor } from "../../lib/runtime/tensor.ts";
import { planMemory } from "../../lib/tuning/memory_plan.ts";
import { adapterScale } from "../../lib/tuning/method.ts";
import { defaultSettings } from "../../lib/tuning/settings.ts";

const [tokens = 4160, threads = 2] = Deno.args.map(Number);
const config = { ...parseLanguageConfig({}), layers: 1, vocabularySize: 16 };
const { method } = defaultSettings("lora");
if (method.kind !== "lora") throw new TypeError("an adapter is the default");
const rank = method.rank;
await using runtime = new Runtime({ threads });
const queryBlock = 128;
const options: LayerOptions = {
  computeDtype: "float32",
  transposed: false,
  forms: Object.fromEntries(
    LAYER_MATRICES.map((name) => [name, { kind: "floats", dtype: "float32" }]),
  ) as unknown as LayerOptions["forms"],
  normDtype: "float32",
  training: Object.fromEntries(
    LAYER_MATRICES.map((
      name,
    ) => [name, { kind: "lora", rank, scale: adapterScale(method) }]),
  ) as unknown as LayerOptions["training"],
  trainsNorms: false,
  keeps: false,
  blocks: Math.ceil(tokens / queryBlock),
  blockLength: queryBlock,
};

const tensors = new Map<string, Tensor>();
/** Returns a tensor of small numbers, the same one for each name. */
function tensor(name: string, shape: readonly number[]): Tensor {
  let known = tensors.get(name);
  if (known === undefined) {
    const values = new Float32Array(elementCount(shape));
    for (let i = 0; i < values.length; i++) {
      values[i] = (i * 7919 % 97 - 48) / 2e3;
    }
    known = runtime.tensor(values, shape);
    tensors.set(name, known);
  }
  return known;
}

function bindWeights(binding: Binding): void {
  const { cos, sin } = rotaryAngles(config, tokens);
  const half = config.headSize / 2;
  binding.input("rotary_cos", runtime.tensor(cos, [tokens, half]));
  binding.input("rotary_sin", runtime.tensor(sin, [tokens, half]));
  for (const name of LAYER_MATRICES) {
    const [N, K] = matrixShape(config, name);
    const { a, b } = adapterNames(name);
    binding.input(`${name}.weight`, tensor(`${name}.weight`, [N, K]));
    binding.input(a, tensor(a, [rank, K]));
    binding.input(b, tensor(b, [N, rank]));
  }
  for (const name of LAYER_NORMS) {
    const key = `${name}.weight`;
    binding.input(key, tensor(key, [config.hiddenSize]));
  }
}

/** Processor seconds of this process. */
function processorSeconds(): number {
  const [, rest = ""] = Deno.readTextFileSync("/proc/self/stat").split(") ");
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function timed(name: string, run: () => Promise<void>): Promise<void> {
  const before = processorSeconds();
  const start = performance.now();
  await run();
  const wall = (performance.now() - start) / 1000;
  const used = processorSeconds() - before;
  report(`${name}: ${wall.toFixed(1)} s, ${used.toFixed(1)} s of processors`);
}

function report(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const rows = [tokens, config.hiddenSize];
const load = (model: Uint8Array<ArrayBuffer>) =>
  runtime.session(model, { weightFolder: "/", prepack: false });
{
  await using session = await load(forwardLayerGraph(config, options).model);
  using binding = session.bind();
  bindWeights(binding);
  binding.input("x", tensor("x", rows)).output("y", tensor("y", rows));
  await timed("forward", () => binding.run());
}
{
  await using session = await load(backwardLayerGraph(config, options).model);
  using binding = session.bind();
  bindWeights(binding);
  binding.input("x", tensor("x", rows)).input("dy", tensor("y", rows));
  binding.output("dx", tensor("dx", rows));
  for (const name of LAYER_MATRICES) {
    const [N, K] = matrixShape(config, name);
    const { a, b } = adapterNames(name);
    for (const [part, shape] of [[a, [rank, K]], [b, [N, rank]]] as const) {
      const gradient = gradientName(part);
      const held = tensor(gradient, shape);
      binding.input(gradient, held).output(updatedName(gradient), held);
    }
  }
  await timed("backward", () => binding.run());
}
const peak = /VmHWM:\s+(\d+)/.exec(
  Deno.readTextFileSync("/proc/self/status"),
)?.[1];
const plan = planMemory(
  {
    config,
    method,
    replays: false,
    storedBytes: 4,
    computedBytes: 4,
    tokens,
    parallel: [1],
  },
  0,
);
report(`peak ${(Number(peak) / 1e6).toFixed(2)} GB`);
report(`plan ${(plan.totalBytes / 1e9).toFixed(2)} GB`);
