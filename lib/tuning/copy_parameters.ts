/**
 * The copy of a checkpoint's weights to parameters that are trained.
 *
 * @module
 */

import { arrangeGraph } from "../runtime/memory/device_memory.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { BaseWeights } from "./base_weights.ts";
import type { Parameters } from "./parameters.ts";
import { TuningError } from "./tuning_error.ts";

/**
 * Overwrites parameters with the checkpoint's weights, as float32; adapters,
 * which it does not have, stay as they are.
 *
 * @throws {CheckpointError} If one is missing or has another shape.
 * @throws {TuningError} If the checkpoint is stored in few bits.
 */
export async function copyParameters(
  runtime: Runtime,
  base: BaseWeights,
  parameters: Parameters,
): Promise<void> {
  for (const { name, shape } of parameters.list) {
    if (name.includes(".lora_")) continue;
    const key = name.replace(/\.weight$/, "");
    const [rows, columns] = shape;
    const coded = columns !== undefined &&
      base.form(key, [rows!, columns]).kind === "codes";
    if (coded) {
      throw new TuningError(
        "a checkpoint in int8 or int4 has no weights to train: use --method lora without --head, or the checkpoint that it was made from",
      );
    }
    const source = await base.stored(key, shape);
    await using session = await runtime.session(
      arrangeGraph(source.dtype, "float32", false),
      { weightFolder: "/", prepack: false },
    );
    using binding = session.bind()
      .input("x", source)
      .output("y", parameters.tensor("values", name));
    await binding.run();
  }
}
