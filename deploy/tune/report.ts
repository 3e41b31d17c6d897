/**
 * The report of a run: one file of HTML with curves, samples and settings.
 *
 * @module
 */

import { formatSeconds } from "../cache/progress.ts";
import { lineChart, type Series } from "./line_chart.ts";
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

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;
margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
svg{width:100%;height:auto}table{border-collapse:collapse}
td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}
figure{margin:1rem 0}img{max-width:100%;image-rendering:auto}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}}`;

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
  const text = Object.entries(settings).map(([name, value]) =>
    [name, typeof value === "string" ? value : JSON.stringify(value)] as const
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title><style>${STYLE}</style>
<h1>${escaped(title)}</h1>
${table(facts)}
<h2>Loss</h2>
${lineChart("Loss by step, in nats a label", lossSeries(lines))}
<h2>Learning rate</h2>
${
    lineChart("Learning rate by step", [{
      name: "learning rate",
      points: lines.map(({ step, learning_rate: y }) => ({ x: step, y })),
    }])
  }
<h2>Gradient norm</h2>
${
    lineChart("Norm of all gradients by step", [{
      name: "gradient norm",
      points: lines.map(({ step, gradient_norm: y }) => ({ x: step, y })),
    }])
  }
${samples(run)}
<h2>Settings</h2>
${table(text)}
</html>
`;
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
    `<figure><img alt="Sample pictures after step ${step}" src="data:image/png;base64,${png.toBase64()}"><figcaption>Step ${step}</figcaption></figure>`
  );
  const list = prompts.map((prompt) => `<li>${escaped(prompt)}</li>`);
  return `<h2>Samples</h2><ol>${list.join("")}</ol>${figures.join("\n")}`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const cells = rows.map(([name, value]) =>
    `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`
  );
  return `<table>${cells.join("")}</table>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
}
