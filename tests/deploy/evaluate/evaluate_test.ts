import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { join } from "node:path";
import { isExactMatch } from "../../../deploy/evaluate/answers.ts";
import { parseArguments as evaluateArguments } from "../../../deploy/evaluate/arguments.ts";
import { openEvaluatedLanguage } from "../../../deploy/evaluate/evaluated_models.ts";
import {
  lossRecords,
  meanLoss,
  type RecordLoss,
} from "../../../deploy/evaluate/loss.ts";
import {
  type MeasuredRecord,
  type MeasuredResults,
  measureRecords,
  type UnusableRecord,
} from "../../../deploy/evaluate/measured_records.ts";
import { questionLines } from "../../../deploy/evaluate/question_file.ts";
import { meanReconstruction } from "../../../deploy/evaluate/reconstruction.ts";
import { EMBEDDED_MODEL } from "../../../deploy/prepare/locate_model.ts";
import { RecordError } from "../../../deploy/prepare/readers/source.ts";
import { parseArguments } from "../../../deploy/tune/arguments.ts";
import { tune } from "../../../deploy/tune/tune.ts";
import { encodePng } from "../../../lib/image/encode_png.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { DataOrder } from "../../../lib/tuning/data_order.ts";
import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import { tuningSequence } from "../../../lib/tuning/sequence.ts";
import { openTextSide } from "../../../lib/loading/text_files.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { LANGUAGE_FOLDERS, tinyFolder } from "../../support/tiny.ts";
import { openTuning } from "../../support/tuning_golden.ts";
import { memorySet, tinyRecords } from "../../support/tuning_set.ts";

const signal = new AbortController().signal;

/** Losses in other kernels and over a cache differ by rounding. */
const TOLERANCE = 1e-5;

function near(actual: number | undefined, expected: number): void {
  const difference = Math.abs((actual ?? NaN) - expected);
  ok(difference < TOLERANCE, `${actual}, not ${expected}`);
}

/** Bytes of keys and values of a token of the miniature models. */
const TOKEN_BYTES = 512;

/** Returns the losses of records under a miniature model. */
async function lossesOf(
  records: readonly PreparedRecord[],
  model: string,
  adapter?: string,
  availableBytes = 2 ** 30,
): Promise<MeasuredResults<RecordLoss>> {
  await using runtime = new Runtime({ threads: 1 });
  await using language = await openEvaluatedLanguage(
    tinyFolder(model),
    adapter,
    {
      ...{ runtime, availableBytes, threads: 1 },
      now: () => performance.now(),
    },
  );
  const walk = lossRecords(memorySet(records), language.model, {
    adapter: language.adapter,
    template: "chat",
  });
  return await measureRecords(walk, {
    ...{ ahead: 4, limit: Infinity, onRecord: () => {}, signal },
  });
}

for (const model of LANGUAGE_FOLDERS) {
  Deno.test(`lossRecords() of ${model} with an adapter equals the tuner's held-out loss`, async () => {
    using folder = temporaryFolder();
    const out = join(folder.path, "adapter");
    const options = "--steps 4 --batch 2 --warmup 1 --rank 4 --held-out 4 " +
      "--learning-rate 3e-2 --evaluate-every 4 --max-tokens 128 --template chat";
    const words = ["data", "--model", model, "--out", out];
    const given = parseArguments([...words, ...options.split(" ")]);
    const records = tinyRecords(12);
    await using runtime = new Runtime({ threads: 1 });
    await tune({ ...given, out }, {
      ...{ runtime, modelFolder: tinyFolder(model), availableBytes: 2 ** 40 },
      ...{ set: memorySet(records), terminal: false, write: () => {} },
      ...{ now: () => performance.now(), stop: signal },
    });
    const lines = await Deno.readTextFile(join(out, "metrics.jsonl"));
    const last = JSON.parse(lines.trim().split("\n").at(-1)!);
    const { heldOut } = new DataOrder({
      ...given.settings,
      records: records.length,
      heldOut: 4,
    });
    const held = heldOut.map((index) => records[index]!);
    const { measured, unusable } = await lossesOf(held, model, out);
    deepStrictEqual(unusable, []);
    deepStrictEqual(
      measured.map(({ record }) => record),
      held.map(({ key }) => key),
    );
    near(meanLoss(measured)?.recordLoss, last.held_out_loss);
    const without = await lossesOf(held, model);
    ok(meanLoss(without.measured)!.recordLoss > last.held_out_loss + 0.01);
  });

  Deno.test(`lossRecords() of ${model} without an adapter equals the tuner's loss before its first step`, async () => {
    const records = tinyRecords(6);
    const checkpoint = await openLanguageCheckpoint(tinyFolder(model));
    const writer = await openTextSide(checkpoint);
    using _ = writer.text;
    await using tuning = await openTuning(model, { kind: "full" });
    const { measured } = await lossesOf(records, model);
    for (const [i, record] of records.entries()) {
      const sequence = await tuningSequence(writer, record, {
        ...{ template: "chat", maxTokens: 256, withoutText: false },
      });
      const [tuned] = await tuning.model.losses([sequence]);
      const { sum, labels } = tuned!;
      strictEqual(measured[i]!.tokens, labels);
      strictEqual(measured[i]!.kind, i % 3 === 2 ? "answer" : "picture");
      near(measured[i]!.sum / labels, sum / labels);
    }
  });
}

Deno.test("unusable records of a set are noted, others measured", async () => {
  const [first, second, third] = tinyRecords(3);
  const { answer: _, ...unanswered } = third!;
  const { measured, unusable } = await lossesOf([
    { ...first!, codes: Uint16Array.of(1, 2) },
    second!,
    unanswered,
    { ...first!, codes: first!.codes.map(() => 30_000) },
    { ...first!, height: 120, width: 120, codes: new Uint16Array(14_400) },
  ], "emu3-tiny");
  deepStrictEqual(measured.map(({ record }) => record), ["record 1"]);
  deepStrictEqual(unusable.map(({ record }) => record), [
    "record 1",
    "record 3",
    "record 4",
    "record 5",
  ]);
  match(
    unusable[0]!.reason,
    /^record "record 0" has 2 codes, its size of 3×4 asks for 12/,
  );
  match(unusable[1]!.reason, /has a question and no answer/);
  match(unusable[2]!.reason, /prepared with another vision tokenizer/);
  match(unusable[3]!.reason, /take 14533 tokens, the context holds 9216/);
});

Deno.test("an evaluation names the memory as its limit, and no variable of a server", async () => {
  const records = tinyRecords(2);
  const large = { height: 40, width: 40, codes: new Uint16Array(1600) };
  const set = [{ ...records[0]!, ...large }, records[1]!];
  const { measured, unusable } = await lossesOf(
    set,
    "emu3-tiny",
    undefined,
    4 * 100 * TOKEN_BYTES,
  );
  deepStrictEqual(measured.length, 1);
  match(
    unusable[0]!.reason,
    /^it takes \d+ tokens, and the available memory holds keys and values of \d+; free some memory, or use a machine with more$/,
  );
  await rejects(
    lossesOf(records, "emu3-tiny", undefined, 2000),
    /EvaluationError: .*the 500 B for keys and values hold no sequence: free/,
  );
  await using runtime = new Runtime({ threads: 1 });
  await rejects(
    openEvaluatedLanguage(EMBEDDED_MODEL, undefined, {
      ...{ runtime, availableBytes: 2 ** 20, threads: 1, now: () => 0 },
    }),
    /EvaluationError: .*emu3-mini takes [\d.]+ MB of memory with its cache, and 1\.0 MB are available: quantize it to int8 or int4 .*, or free some memory/,
  );
});

Deno.test("measureRecords() keeps the order, the limit and the window", async () => {
  let running = 0;
  let most = 0;
  const faults: (UnusableRecord | undefined)[] = [];
  async function* records(): AsyncGenerator<MeasuredRecord<number>> {
    for (let i = 0; i < 9; i++) {
      yield await Promise.resolve({
        record: `${i}`,
        measure: async () => {
          most = Math.max(most, ++running);
          for (let turn = 0; turn < 9 - i; turn++) await Promise.resolve();
          running--;
          if (i === 2) throw new RecordError("bad");
          return i;
        },
      });
    }
  }
  const results = await measureRecords(records(), {
    ...{ ahead: 3, limit: 6, signal },
    onRecord: (fault) => faults.push(fault),
  });
  deepStrictEqual(results, {
    measured: [0, 1, 3, 4, 5],
    unusable: [{ record: "2", reason: "bad" }],
  });
  deepStrictEqual(faults.map((fault) => fault?.record), [
    ...[undefined, undefined, "2", undefined, undefined, undefined],
  ]);
  ok(most <= 3);
});

Deno.test("measureRecords() ends by an error that is not a record's, and by its signal", async () => {
  async function* records(
    error: Error,
  ): AsyncGenerator<MeasuredRecord<number>> {
    yield await Promise.resolve({
      record: "a",
      measure: () => Promise.reject(error),
    });
  }
  const options = { ahead: 2, limit: 9, onRecord: () => {} };
  await rejects(
    measureRecords(records(new TypeError("a bug")), { ...options, signal }),
    /a bug/,
  );
  await rejects(
    measureRecords(records(new RecordError("bad")), {
      ...options,
      signal: AbortSignal.abort(new Error("stopped")),
    }),
    /stopped/,
  );
});

Deno.test("isExactMatch() ignores case, white space around and composition", () => {
  ok(isExactMatch(" Three apples.\n", ["3", "three Apples."]));
  ok(isExactMatch("cafe\u0301", ["CAFÉ"]));
  ok(!isExactMatch("three  apples", ["three apples"]));
  ok(!isExactMatch("three apples.", ["three apples"]));
  ok(!isExactMatch("", ["a"]));
});

Deno.test("questionLines() reads lines, and reports the fault of an invalid one", async () => {
  using folder = temporaryFolder();
  const pixels = new Uint8ClampedArray(3 * 16 * 16);
  const png = encodePng({ height: 16, width: 16, pixels }, {});
  folder.write("a.png", png);
  const line = (fields: Record<string, unknown>) =>
    JSON.stringify({ image: "a.png", question: "Q?", answer: "A", ...fields });
  const cases: [string, RegExp | readonly string[]][] = [
    [line({}), ["A"]],
    [line({ answer: ["A", "b", 3] }), ["A", "b", "3"]],
    [line({ answer: 3 }), ["3"]],
    [line({ image: `data:image/png;base64,${png.toBase64()}` }), ["A"]],
    ["{", /it is no JSON: /],
    ["[1]", /it is no object/],
    [line({ question: "" }), /it has no "question"/],
    [line({ answer: undefined }), /its "answer" is neither a text nor a list/],
    [line({ answer: [] }), /its "answer" is neither/],
    [line({ answer: ["A", {}] }), /its "answer" is neither/],
    [line({ answer: " " }), /its "answer" is neither/],
    [line({ image: undefined }), /it has no "image"/],
    [line({ image: "b.png" }), /b\.png cannot be read: there is no such file/],
    [line({ image: "https://example.org/a.png" }), /is not fetched/],
  ];
  const path = folder.write(
    "q.jsonl",
    cases.map(([line]) => line).join("\n\n"),
  );
  const lines = await Array.fromAsync(questionLines(path));
  strictEqual(lines.length, cases.length);
  for (const [i, [, expected]] of cases.entries()) {
    const { place, read } = lines[i]!;
    strictEqual(place, `q.jsonl, line ${2 * i + 1}`);
    if (expected instanceof RegExp) {
      await rejects(read(), { name: "RecordError", message: expected });
      continue;
    }
    const asked = await read();
    deepStrictEqual(asked.expected, expected);
    deepStrictEqual(asked.picture, png);
  }
});

Deno.test("meanReconstruction() leaves out the PSNR of equal pictures", () => {
  deepStrictEqual(
    meanReconstruction([
      { psnr: 20, ssim: 0.5 },
      { psnr: Infinity, ssim: 1 },
      { psnr: 30, ssim: 0.75 },
    ]),
    { records: 3, identical: 1, psnr: 25, ssim: 0.75 },
  );
  deepStrictEqual(
    meanReconstruction([{ psnr: Infinity, ssim: 1 }]),
    { records: 1, identical: 1, psnr: undefined, ssim: 1 },
  );
  strictEqual(meanReconstruction([]), undefined);
});

Deno.test("evaluate names the adapter that does not fit its base", async () => {
  using folder = temporaryFolder();
  strictEqual(evaluateArguments(["d", "--adapter", folder.path]).data, "d");
  await rejects(
    lossesOf(tinyRecords(1), "emu3-tiny", folder.path),
    /adapter_config\.json: the file does not exist/,
  );
});
