/**
 * The placement of graphs, read from ONNX Runtime's messages between markers of
 * the program that opens the graphs.
 *
 * ```text
 * @begin {"id": 3, …}          a session is opened
 * … Node placements            messages of ONNX Runtime
 * @end {"id": 3}               it is open; others may have been meanwhile
 * @refused {"message": …}      it, or a run, was refused
 * ```
 *
 * @module
 */

/** A graph that is opened. */
export interface OpenedGraph {
  /** Number that is unique in the program. */
  readonly id: number;
  /** Model that the graph belongs to, in words. */
  readonly model: string;
  /** Name of the graph. */
  readonly graph: string;
  /** Number of its nodes that pad, before ONNX Runtime optimizes it. */
  readonly pads?: number;
}

/** The placement of a graph's nodes. */
export interface Placement extends OpenedGraph {
  /** Number of nodes by execution provider. */
  readonly nodes: Readonly<Record<string, number>>;
}

/** The results of a program. */
export interface Placements {
  /** Graphs in the order of their placement. */
  readonly placed: readonly Placement[];
  /** Graphs that were begun without being placed. */
  readonly missing: readonly OpenedGraph[];
  /** Messages of refusals. */
  readonly refused: readonly string[];
}

/** The provider that all nodes belong on. */
export const CUDA = "CUDAExecutionProvider";

/** A line of ONNX Runtime that counts nodes. */
const COUNT = /placed on \[(\w+)\]\. Number of nodes: (\d+)/;

/** Returns the line of a marker. */
export function marker(name: string, value: unknown): string {
  return `@${name} ${JSON.stringify(value)}\n`;
}

/** Reads the messages of a program. */
export function readPlacements(text: string): Placements {
  const open = new Map<number, OpenedGraph>();
  const placed = new Map<number, Placement>();
  const refused: string[] = [];
  for (const line of text.split("\n")) {
    const [, name, json] = /^@(begin|end|refused) (.*)$/.exec(line) ?? [];
    if (json !== undefined) {
      const value = JSON.parse(json);
      if (name === "begin") open.set(value.id, value);
      else if (name === "refused") refused.push(value.message);
      else if (placed.has(value.id)) open.delete(value.id);
      continue;
    }
    const [, provider, count] = COUNT.exec(line) ?? [];
    if (provider === undefined) continue;
    // Weights are arranged by graphs of their own while a session is opened.
    const graph = [...open.values()].at(-1);
    if (graph === undefined) continue;
    const before = placed.get(graph.id)?.nodes ?? {};
    const nodes = { ...before, [provider]: Number(count) };
    placed.set(graph.id, { ...graph, nodes });
  }
  const missing = [...open.values()].filter(({ id }) => !placed.has(id));
  return { placed: [...placed.values()], missing, refused };
}

/** Returns the nodes of a graph that are not on CUDA. */
export function strayNodes({ nodes }: Placement): number {
  return Object.entries(nodes)
    .reduce((sum, [name, count]) => sum + (name === CUDA ? 0 : count), 0);
}
