/**
 * The metrics of a run: a line of JSON for each step.
 *
 * @module
 */

import type { TuningStep } from "../../lib/tuning/trainer.ts";
import { onDisk } from "../cache/base/disk.ts";
import { REMEDY, writeText } from "./safetensors_writer.ts";

/** A line of `metrics.jsonl`. */
export interface MetricsLine {
  /** Number of the step, from 1. */
  readonly step: number;
  /** Passes over the set so far. */
  readonly epoch: number;
  /** Mean loss of the step's records, in nats. */
  readonly loss: number;
  /** Mean loss of what is held out, after the step. */
  readonly "held_out_loss"?: number;
  /** Learning rate of the step. */
  readonly "learning_rate": number;
  /** Norm of all gradients before they were clipped. */
  readonly "gradient_norm": number;
  /** Tokens of the step. */
  readonly tokens: number;
  /** Seconds that the step took. */
  readonly seconds: number;
}

/** Returns the line of a step. */
export function metricsLine(step: TuningStep, seconds: number): MetricsLine {
  const { heldOutLoss } = step;
  return {
    step: step.step,
    epoch: step.epoch,
    loss: step.loss,
    ...heldOutLoss === undefined ? {} : { held_out_loss: heldOutLoss },
    learning_rate: step.learningRate,
    gradient_norm: step.gradientNorm,
    tokens: step.tokens,
    seconds,
  };
}

/** Appends lines to a file, and holds all of them. */
export class Metrics {
  readonly #path: string;
  readonly #lines: MetricsLine[];

  private constructor(path: string, lines: MetricsLine[]) {
    this.#path = path;
    this.#lines = lines;
  }

  /**
   * Opens the file at `path`. Lines after `step` are removed: the run takes
   * those steps again. A line that was cut off is removed with them.
   */
  static async open(path: string, step: number): Promise<Metrics> {
    const lines = (await textOf(path)).split("\n").flatMap(parsedLine)
      .filter((line) => line.step <= step);
    await writeText(path, lines.map(written).join(""));
    return new Metrics(path, lines);
  }

  /** All lines so far. */
  get lines(): readonly MetricsLine[] {
    return this.#lines;
  }

  /** Appends a line; throws as `onDisk` does. */
  async add(line: MetricsLine): Promise<void> {
    this.#lines.push(line);
    const text = written(line);
    await onDisk(
      this.#path,
      () => Deno.writeTextFile(this.#path, text, { append: true }),
      REMEDY,
    );
  }
}

function written(line: MetricsLine): string {
  return `${JSON.stringify(line)}\n`;
}

function parsedLine(text: string): MetricsLine[] {
  try {
    const line = JSON.parse(text);
    return typeof line?.step === "number" ? [line] : [];
  } catch {
    return [];
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
