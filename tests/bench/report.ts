/**
 * The tables of whole pictures, in Markdown.
 *
 * @module
 */

import { type CrowdCosts, PICTURES } from "./crowd_bench.ts";
import type { Parts } from "./parts_bench.ts";

/** The result of a contender. */
export interface Standing {
  /** Name for display. */
  readonly name: string;
  /** Seconds per token, over HTTP for this server. */
  readonly secondsPerToken: number;
  /** Ratio to the time of reading the weights alone. */
  readonly shareOfCeiling: number;
}

/** Formats all times, and their ratio to each of `rivals`. */
export function standingsTable(
  standings: readonly Standing[],
  rivals: readonly Standing[],
): string {
  const titles = ["who", "a token", "tokens/s", "of the ceiling"];
  const ratios = rivals.map(({ name }) => `times ${name}`);
  return markdown(
    [...titles, ...ratios],
    standings.map(({ name, secondsPerToken, shareOfCeiling }) => [
      name,
      ms(secondsPerToken),
      (1 / secondsPerToken).toFixed(1),
      `${(100 * shareOfCeiling).toFixed(0)} %`,
      ...rivals.map((rival) =>
        (rival.secondsPerToken / secondsPerToken).toFixed(2)
      ),
    ]),
  );
}

/** Formats the breakdown of a token; `whole` is its time over HTTP. */
export function partsTable(
  rows: readonly { name: string; whole: number; parts: Parts }[],
): string {
  return markdown(
    ["a token", "whole", "steps", "row ends", "head", "draw", "rest"],
    rows.map(({ name, whole, parts: { step, pair, head, draw } }) => [
      name,
      ...[whole, step, pair, head, draw, whole - step - pair - head - draw]
        .map(ms),
    ]),
  );
}

/** Formats the results of concurrency, by name. */
export function crowdTable(
  rows: readonly (CrowdCosts & { name: string })[],
): string {
  const titles = [
    `${PICTURES} at once, unguided`,
    "one",
    "all",
    "times the tokens/s",
    "a word alone",
    "beside them",
    "of its limit",
  ];
  return markdown(
    titles,
    rows.map((costs) => [
      costs.name,
      ms(costs.aloneSeconds),
      ms(costs.togetherSeconds),
      (PICTURES * costs.aloneSeconds / costs.togetherSeconds).toFixed(2),
      ms(costs.wordAloneSeconds),
      ms(costs.wordInCrowdSeconds),
      (costs.wordInCrowdSeconds / costs.wordLimitSeconds).toFixed(2),
    ]),
  );
}

/** Formats milliseconds. */
export function ms(seconds: number): string {
  const value = 1000 * seconds;
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}

function markdown(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = titles.map((_, i) => i === 0 ? "---" : "---:");
  return `\n${[titles, rule, ...rows].map(line).join("\n")}`;
}
