import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { Evaluation } from "../../../deploy/evaluate/evaluate.ts";
import {
  evaluationJson,
  evaluationPage,
  evaluationRows,
  textTable,
} from "../../../deploy/evaluate/evaluation_report.ts";

const EVALUATION: Evaluation = {
  loss: {
    measured: [
      { record: "a", kind: "picture", sum: 30, tokens: 10 },
      { record: "b", kind: "picture", sum: 10, tokens: 30 },
      { record: "c", kind: "answer", sum: 4, tokens: 2 },
    ],
    unusable: [{ record: "record 4", reason: "it is <bad>" }],
  },
  reconstruction: {
    measured: [{ record: "a", psnr: Infinity, ssim: 1, pair: undefined }],
    unusable: [],
  },
  answers: {
    measured: Array.from({ length: 150 }, (_, i) => ({
      record: `line ${i}`,
      question: "Q?",
      expected: ["x", "y"],
      answer: i < 30 ? "x" : "z",
      correct: i < 30,
    })),
    unusable: [],
  },
};

Deno.test("evaluationRows() weights records by their tokens", () => {
  strictEqual(
    textTable(evaluationRows(EVALUATION)),
    [
      "loss of pictures  1.0000 nats a token  perplexity 2.718, 2 records, 40 tokens",
      "loss of answers   2.0000 nats a token  perplexity 7.389, 1 record, 2 tokens",
      "loss of records   1.7778 nats a token  mean over 3 records, as held-out loss",
      "PSNR              none                 0 pictures, 1 more came back unchanged",
      "SSIM              1.0000               1 picture",
      "exact match       20.0 %               30 of 150 questions",
      "unusable          1 record             for loss",
    ].join("\n"),
  );
});

Deno.test("evaluationJson() has exactly the measured values", () => {
  const json = evaluationJson(EVALUATION, { model: "m" });
  const { answers, ...rest } = JSON.parse(JSON.stringify(json));
  deepStrictEqual(rest, {
    model: "m",
    loss: {
      all: {
        ...{ records: 3, tokens: 42, loss: 44 / 42 },
        "record_loss": (3 + 1 / 3 + 2) / 3,
      },
      pictures: {
        ...{ records: 2, tokens: 40, loss: 1 },
        "record_loss": (3 + 1 / 3) / 2,
      },
      answers: { records: 1, tokens: 2, loss: 2, "record_loss": 2 },
      unusable: [{ record: "record 4", reason: "it is <bad>" }],
    },
    reconstruction: {
      ...{ records: 1, identical: 1, psnr: null, ssim: 1, unusable: [] },
    },
  });
  deepStrictEqual([answers.records, answers.correct], [150, 30]);
  strictEqual(answers.wrong.length, 120);
  deepStrictEqual(answers.wrong[0], {
    record: "line 30",
    question: "Q?",
    expected: ["x", "y"],
    answer: "z",
  });
  const none = {
    loss: undefined,
    reconstruction: undefined,
    answers: undefined,
  };
  deepStrictEqual(evaluationJson(none, {}), {});
});

Deno.test("evaluationPage() lists the first wrong answers and every fault", () => {
  const page = evaluationPage("Evaluation of m", EVALUATION, { model: "m" });
  match(page, /line 30<[^]*line 128<[^]*21 more/);
  match(page, /record 4<\/th><td>it is &lt;bad></);
});
