/**
 * The results of an evaluation: as a table, as JSON and as a page.
 *
 * @module
 */

import { encodePng } from "../../lib/image/encode_png.ts";
import { lineChart } from "../report/line_chart.ts";
import {
  htmlFigure,
  htmlTable,
  reportPage,
  type ReportRow,
  reportSection,
} from "../report/report_page.ts";
import { contactSheet } from "../tune/sample_pictures.ts";
import type { Evaluation } from "./evaluate.ts";
import { meanLoss, type RecordLoss } from "./loss.ts";
import type { MeasuredResults } from "./measured_records.ts";
import { meanReconstruction } from "./reconstruction.ts";

/** Rows of a list in the page. */
const MAX_LISTED = 100;

/** Returns the rows of the table: name, value, measured on. */
export function evaluationRows(evaluation: Evaluation): ReportRow[] {
  return [
    ...lossRows(evaluation),
    ...reconstructionRows(evaluation),
    ...answerRows(evaluation),
    ...unusableRows(evaluation),
  ];
}

function lossRows({ loss }: Evaluation): ReportRow[] {
  const all = loss && meanLoss(loss.measured);
  if (loss === undefined || all === undefined) return [];
  const byKind = [
    ["loss of pictures", "picture"] as const,
    ["loss of answers", "answer"] as const,
  ].flatMap(([name, kind]) => {
    const mean = meanLoss(loss.measured.filter((one) => one.kind === kind));
    if (mean === undefined) return [];
    const { records, tokens, loss: value } = mean;
    return [[
      name,
      `${value.toFixed(4)} nats a token`,
      `perplexity ${Number(Math.exp(value).toPrecision(4))}, ${
        counted(records, "record")
      }, ${counted(tokens, "token")}`,
    ]];
  });
  const { records, recordLoss } = all;
  return [...byKind, [
    "loss of records",
    `${recordLoss.toFixed(4)} nats a token`,
    `mean over ${counted(records, "record")}, as held-out loss`,
  ]];
}

function reconstructionRows({ reconstruction }: Evaluation): ReportRow[] {
  const mean = reconstruction && meanReconstruction(reconstruction.measured);
  if (mean === undefined) return [];
  const { records, identical, psnr, ssim } = mean;
  return [
    [
      "PSNR",
      psnr === undefined ? "none" : `${psnr.toFixed(2)} dB`,
      `${counted(records - identical, "picture")}${
        identical > 0 ? `, ${identical} more came back unchanged` : ""
      }`,
    ],
    ["SSIM", ssim.toFixed(4), counted(records, "picture")],
  ];
}

function answerRows({ answers }: Evaluation): ReportRow[] {
  if (answers === undefined) return [];
  const { length } = answers.measured;
  const right = answers.measured.filter(({ correct }) => correct).length;
  return [[
    "exact match",
    `${(100 * right / length).toFixed(1)} %`,
    `${right} of ${counted(length, "question")}`,
  ]];
}

function unusableRows(evaluation: Evaluation): ReportRow[] {
  return results(evaluation).filter(([, { unusable }]) => unusable.length > 0)
    .map(([name, { unusable }]) => [
      "unusable",
      counted(unusable.length, "record"),
      `for ${name}`,
    ]);
}

/** Returns rows as aligned lines. */
export function textTable(rows: readonly ReportRow[]): string {
  const widths = [0, 1].map((column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  return rows.map(([name, value, on]) =>
    `${name!.padEnd(widths[0]!)}  ${value!.padEnd(widths[1]!)}  ${on}`
  ).join("\n");
}

/** Returns the results with the settings, for programs. */
export function evaluationJson(
  { loss, reconstruction, answers }: Evaluation,
  settings: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const kind = (kind: "picture" | "answer") =>
    lossFields(loss!.measured.filter((one) => one.kind === kind));
  const mean = reconstruction && meanReconstruction(reconstruction.measured);
  return {
    ...settings,
    ...loss && {
      loss: {
        all: lossFields(loss.measured),
        pictures: kind("picture"),
        answers: kind("answer"),
        unusable: loss.unusable,
      },
    },
    ...reconstruction && {
      reconstruction: {
        ...mean,
        psnr: mean?.psnr ?? null,
        unusable: reconstruction.unusable,
      },
    },
    ...answers && {
      answers: {
        records: answers.measured.length,
        correct: answers.measured.filter(({ correct }) => correct).length,
        wrong: answers.measured.filter(({ correct }) => !correct)
          .map(({ correct: _, ...rest }) => rest),
        unusable: answers.unusable,
      },
    },
  };
}

/** Returns the means of losses for programs; undefined if there is none. */
function lossFields(
  losses: readonly RecordLoss[],
): Record<string, number> | undefined {
  const mean = meanLoss(losses);
  if (mean === undefined) return undefined;
  const { recordLoss, ...fields } = mean;
  return { ...fields, "record_loss": recordLoss };
}

/** Returns the page. */
export function evaluationPage(
  title: string,
  evaluation: Evaluation,
  settings: Readonly<Record<string, unknown>>,
): string {
  return reportPage({
    title,
    facts: evaluationRows(evaluation),
    sections: [
      ...lossSections(evaluation),
      ...reconstructionSections(evaluation),
      ...answerSections(evaluation),
      ...unusableSections(evaluation),
    ],
    settings,
  });
}

function lossSections({ loss }: Evaluation): string[] {
  if (loss === undefined) return [];
  const sorted = loss.measured.map(({ sum, tokens }) => sum / tokens)
    .sort((a, b) => a - b);
  const points = sorted.map((y, i) => ({ x: i + 1, y }));
  const chart = lineChart("Loss of each record, in nats a token, sorted", [
    { name: "loss, sorted", points },
  ]);
  return [reportSection("Loss of records", chart)];
}

function reconstructionSections({ reconstruction }: Evaluation): string[] {
  const pairs = (reconstruction?.measured ?? []).flatMap(({ pair }) =>
    pair === undefined ? [] : [...pair]
  );
  if (pairs.length === 0) return [];
  const png = encodePng(contactSheet(pairs, 2), {});
  const figure = htmlFigure(
    png,
    "Pictures, each beside its reconstruction",
    "Left the picture as it is encoded, right its reconstruction",
  );
  return [reportSection("Reconstructions", figure)];
}

function answerSections({ answers }: Evaluation): string[] {
  const wrong = (answers?.measured ?? []).filter(({ correct }) => !correct);
  if (wrong.length === 0) return [];
  const rows = wrong.map(({ record, question, expected, answer }) => [
    record,
    question,
    expected.join(" | "),
    answer,
  ]);
  const head = [["Record", "Question", "Right", "Answer"]];
  return [listSection("Wrong answers", [...head, ...rows])];
}

function unusableSections(evaluation: Evaluation): string[] {
  const rows = results(evaluation).flatMap(([, { unusable }]) =>
    unusable.map(({ record, reason }) => [record, reason])
  );
  return rows.length === 0 ? [] : [listSection("Unusable records", rows)];
}

function listSection(heading: string, rows: readonly ReportRow[]): string {
  const more = rows.length - MAX_LISTED;
  const table = htmlTable(rows.slice(0, MAX_LISTED));
  return reportSection(
    heading,
    more > 0 ? `${table}<p>${more} more</p>` : table,
  );
}

function results(
  { loss, reconstruction, answers }: Evaluation,
): [string, MeasuredResults<unknown>][] {
  const named = [
    ["loss", loss],
    ["reconstruction", reconstruction],
    ["answers", answers],
  ] as const;
  return named.flatMap(([name, results]) =>
    results === undefined ? [] : [[name, results]]
  );
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
