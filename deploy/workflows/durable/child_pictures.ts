/**
 * The child pictures of a chain: runs of the chain `draw` that it starts, and
 * whose codes stay in their own state.
 *
 * ```text
 * album/KEY   step draw.3   ─▶   draw/KEY.album.3   codes draw
 * ```
 *
 * @module
 */

import type {
  InvocationPromise,
  Serde,
  UntypedState,
  WorkflowContext,
  WorkflowSharedContext,
} from "@restatedev/restate-sdk/fetch";
import type { Grid } from "../schema/codes.ts";
import type { DrawInput, DrawOutput } from "../schema/draw.ts";
import { readGrids } from "./chain_state.ts";

/** Name of the chain that draws a picture, and of its codes. */
const DRAW = "draw";

/** Name of a step that is a child. */
const CHILD = /^draw\.(\d+)$/;

/** Returns the name of the step that draws picture `index`, and of its codes. */
export function childName(index: number): string {
  return `${DRAW}.${index}`;
}

/** Starts the child that draws picture `index`. */
export function startPicture(
  context: WorkflowContext<UntypedState>,
  chain: string,
  index: number,
  input: DrawInput,
): InvocationPromise<DrawOutput> {
  return context.genericCall<DrawInput, DrawOutput>({
    service: DRAW,
    method: "run",
    key: childKey(context.key, chain, index),
    parameter: input,
    inputSerde: jsonSerde(),
    outputSerde: jsonSerde(),
  });
}

/**
 * Returns the codes of those of `names` that the chain, or a child of it, has
 * drawn so far.
 */
export async function readAllGrids(
  context: WorkflowSharedContext<UntypedState>,
  chain: string,
  names: readonly string[],
): Promise<Record<string, Grid>> {
  const own = names.filter((name) => !CHILD.test(name));
  const grids = await readGrids(context, own);
  const calls = names.flatMap((name) => {
    const index = CHILD.exec(name)?.[1];
    if (index === undefined) return [];
    const key = childKey(context.key, chain, Number(index));
    return [{ name, call: readPicture(context, key) }];
  });
  for (const { name, call } of calls) {
    const { [DRAW]: grid } = await call;
    if (grid !== undefined) grids[name] = grid;
  }
  return grids;
}

function readPicture(
  context: WorkflowSharedContext<UntypedState>,
  key: string,
): InvocationPromise<Record<string, Grid>> {
  return context.genericCall<string[], Record<string, Grid>>({
    service: DRAW,
    method: "grids",
    key,
    parameter: [DRAW],
    inputSerde: jsonSerde(),
    outputSerde: jsonSerde(),
  });
}

function childKey(key: string, chain: string, index: number): string {
  return `${key}.${chain}.${index}`;
}

/** Returns a codec of JSON: the type of the SDK's own is not exact. */
function jsonSerde<T>(): Serde<T> {
  return {
    contentType: "application/json",
    serialize: (value) => new TextEncoder().encode(JSON.stringify(value)),
    deserialize: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
  };
}
