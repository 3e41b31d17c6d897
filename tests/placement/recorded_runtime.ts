/**
 * The runtime on CUDA that writes a marker to standard error around each
 * session it opens.
 *
 * @module
 */

import { cudaProvider } from "../../lib/runtime/provider.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { decodeModel } from "../support/decode_model.ts";
import { marker, type OpenedGraph } from "./placements.ts";

/** A runtime, and the model whose graphs it opens. */
export interface RecordedRuntime extends AsyncDisposable {
  readonly runtime: Runtime;
  /** Model that the next graphs belong to, in words. */
  model: string;
}

/** A level of ONNX Runtime that logs the placement of nodes. */
const VERBOSE = 0;

/** Opens a runtime of the library at a path. */
export async function openRecorded(library: string): Promise<RecordedRuntime> {
  const provider = cudaProvider({ deviceId: 0, memoryLimitBytes: undefined });
  const runtime = await Runtime.open({
    threads: 1,
    library,
    provider,
    logLevel: VERBOSE,
  });
  const recorded: RecordedRuntime = {
    runtime,
    model: "",
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
  const open = runtime.session.bind(runtime);
  let count = 0;
  runtime.session = async (model, options) => {
    const id = count++;
    write("begin", { id, model: recorded.model, ...described(model) });
    try {
      return await open(model, options);
    } finally {
      write("end", { id });
    }
  };
  return recorded;
}

/** Writes a marker to standard error, in the order of ONNX Runtime's messages. */
export function write(name: string, value: unknown): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`\n${marker(name, value)}`));
}

/** Returns the name of a graph, with what distinguishes it from others. */
function described(model: Uint8Array): Pick<OpenedGraph, "graph" | "pads"> {
  const { name, nodes, inputs } = decodeModel(model);
  const rows = inputs.filter(({ name }) => name.startsWith("seqlens_k")).length;
  const marks = [
    rows > 0 && `${rows} ${rows === 1 ? "row" : "rows"}`,
    inputs.some(({ name }) => name.startsWith("position_ids")) && "positions",
    inputs.some(({ name }) => name.startsWith("first_")) && "two tokens",
  ];
  return {
    graph: [name, ...marks.filter((mark) => mark !== false)].join(", "),
    pads: nodes.filter(({ operator }) => operator === "Pad").length,
  };
}

/**
 * The model of graphs of tuning, which compute shapes of tensors: ONNX Runtime
 * prefers the CPU for that.
 */
export const TUNING = "tuning";

/** The model of graphs that are opened to show that the check can fail. */
export const CONTROL = "control";
