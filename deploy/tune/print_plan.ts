/**
 * The memory plan as a table: methods and precisions, and the sizes of memory
 * that each fits into.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import {
  type MemoryPlan,
  planMemory,
  trainedCount,
  weightCount,
} from "../../lib/tuning/memory_plan.ts";
import { formatBytes } from "../cache/progress.ts";
import type { TuningMethod } from "../../lib/tuning/method.ts";

/** Bytes of a weight in few bits, its share of a scale included. */
export const CODE_BYTES: Readonly<Record<4 | 8, number>> = {
  8: 1 + 2 / 32,
  4: 0.5 + 2 / 32,
};

/** Sizes of memory that are judged, in GB. */
const SIZES = [24, 48, 80];

/** The rows of the table: a base's precision and where it computes. */
const ROWS = [
  { name: "bf16 on a GPU", storedBytes: 2, computedBytes: 2 },
  { name: "int8 on a GPU", storedBytes: CODE_BYTES[8], computedBytes: 2 },
  { name: "int4 on a GPU", storedBytes: CODE_BYTES[4], computedBytes: 2 },
  { name: "bf16 on a CPU", storedBytes: 2, computedBytes: 4 },
  { name: "int8 on a CPU", storedBytes: CODE_BYTES[8], computedBytes: 4 },
  { name: "int4 on a CPU", storedBytes: CODE_BYTES[4], computedBytes: 4 },
];

/** Returns the table for a model and a method. */
export function planTable(
  config: LanguageConfig,
  method: TuningMethod,
  tokens: number,
): string {
  const billions = (count: number) =>
    count >= 1e9
      ? `${(count / 1e9).toFixed(2)} B`
      : `${(count / 1e6).toFixed(1)} M`;
  const header = [
    `${billions(weightCount(config))} weights, ${
      billions(trainedCount(config, method))
    } trained (${method.kind}), sequences of ${tokens} tokens`,
    "",
    row(["base", "weights", "trained", "activations", "work", "least"], SIZES),
  ];
  const rows = ROWS.filter(({ storedBytes }) =>
    method.kind === "lora" || storedBytes >= 2
  ).map(({ name, ...bytes }) => {
    const run = {
      config,
      method,
      replays: false,
      tokens,
      parallel: [1],
      ...bytes,
    };
    const least = planMemory(run, 0);
    return row(
      [name, ...figures(least)],
      SIZES.map((size) => verdict(planMemory(run, size * 1e9), size)),
    );
  });
  return [...header, ...rows].join("\n");
}

/** Returns the parts of a plan and their sum, in words. */
export function figures({ parts, totalBytes }: MemoryPlan): string[] {
  return [
    ...["weights", "trained", "activations", "work"].map((part) =>
      formatBytes(parts[part as keyof typeof parts])
    ),
    formatBytes(totalBytes),
  ];
}

function verdict(plan: MemoryPlan, size: number): string {
  if (plan.totalBytes > size * 1e9) return "no";
  return plan.keeps ? "fast" : "yes";
}

function row(cells: readonly string[], sizes: readonly (string | number)[]) {
  const columns = cells.map((cell, i) => cell.padEnd(i === 0 ? 14 : 12));
  const judged = sizes.map((size) =>
    String(typeof size === "number" ? `${size} GB` : size).padEnd(7)
  );
  return [...columns, ...judged].join(" ").trimEnd();
}
