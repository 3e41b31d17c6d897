/**
 * The report of a run: one file of HTML with curves, samples and settings.
 *
 * @module
 */

import { formatSeconds } from "../cache/progress.ts";
import { lineChart, type Series } from "../report/line_chart.ts";
import {
  escapeHtml,
  htmlFigure,
  reportPage,
  reportSection,
} from "../report/report_page.ts";
import type { MetricsLine } from "./metrics.ts";

/** A sheet of sample pictures. */
export interface SampleSheet {
  /** Step after which it was drawn. */
  readonly step: number;
  /** PNG. */
  readonly png: Uint8Array;
}

/** The contents of a report. */
export interface ReportedRun {
  /** Name of the run, its folder. */
  readonly title: string;
  /** Settings, by name. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** All steps. */
  readonly lines: readonly MetricsLine[];
  /** Prompts of the samples. */
  readonly prompts: readonly string[];
  /** Sheets in the order of steps. */
  readonly sheets: readonly SampleSheet[];
}

/** Returns the report, without links to other files. */
export function reportHtml(run: ReportedRun): string {
  const { title, lines, settings } = run;
  const seconds = lines.reduce((sum, line) => sum + line.seconds, 0);
  const tokens = lines.reduce((sum, line) => sum + line.tokens, 0);
  const last = lines.at(-1);
  const facts: [string, string][] = [
    ["Steps", String(last?.step ?? 0)],
    ["Epochs", (last?.epoch ?? 0).toFixed(2)],
    ["Last loss", last === undefined ? "none" : last.loss.toFixed(4)],
    ["Held-out loss", heldOut(lines).at(-1)?.y.toFixed(4) ?? "none"],
    ["Tokens", tokens.toLocaleString("en")],
    ["Time of steps", formatSeconds(seconds)],
    [
      "Tokens a second",
      seconds === 0 ? "none" : String(Math.round(tokens / seconds)),
    ],
  ];
  const learningRate = {
    name: "learning rate",
    points: lines.map(({ step, learning_rate: y }) => ({ x: step, y })),
  };
  const gradientNorm = {
    name: "gradient norm",
    points: lines.map(({ step, gradient_norm: y }) => ({ x: step, y })),
  };
  const chart = (heading: string, label: string, series: readonly Series[]) =>
    reportSection(heading, lineChart(label, series));
  return reportPage({
    title,
    facts,
    sections: [
      chart("Loss", "Loss by step, in nats", lossSeries(lines)),
      chart("Learning rate", "Learning rate by step", [learningRate]),
      chart("Gradient norm", "Norm of all gradients by step", [gradientNorm]),
      samples(run),
    ],
    settings,
  });
}

function lossSeries(lines: readonly MetricsLine[]): Series[] {
  const series = [{
    name: "loss",
    points: lines.map(({ step, loss }) => ({ x: step, y: loss })),
  }];
  const measured = heldOut(lines);
  return measured.length === 0
    ? series
    : [...series, { name: "held-out loss", points: measured }];
}

function heldOut(lines: readonly MetricsLine[]): { x: number; y: number }[] {
  return lines.flatMap(({ step, held_out_loss: y }) =>
    y === undefined ? [] : [{ x: step, y }]
  );
}

function samples({ prompts, sheets }: ReportedRun): string {
  if (sheets.length === 0) return "";
  const figures = sheets.map(({ step, png }) =>
    htmlFigure(png, `Sample pictures after step ${step}`, `Step ${step}`)
  );
  const list = prompts.map((prompt) => `<li>${escapeHtml(prompt)}</li>`);
  return reportSection(
    "Samples",
    `<ol>${list.join("")}</ol>${figures.join("\n")}`,
  );
}
