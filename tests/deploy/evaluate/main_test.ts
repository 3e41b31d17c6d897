import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { encodePng } from "../../../lib/image/encode_png.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { writeAdapter } from "../../support/adapters.ts";
import { paint } from "../../support/pictures.ts";
import { type Ended, runPrepare } from "../../support/prepare_process.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";

const MAIN = new URL("../../../deploy/evaluate/main.ts", import.meta.url);
const TINY = ["--model", tinyFolder("emu3-tiny")];

/** Starts the command in `cwd`; a hub that is asked for a model is away. */
function startEvaluate(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "-A", MAIN.pathname, ...words],
    env: { INIT_CWD: cwd, HF_HUB_OFFLINE: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command to its end. */
async function runEvaluate(
  ...given: Parameters<typeof startEvaluate>
): Promise<Ended> {
  const process = startEvaluate(...given);
  const { code, stdout, stderr } = await process.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** Writes three pictures with captions, one of them broken, and a set. */
async function prepared(folder: TemporaryFolder): Promise<void> {
  for (const [name, level] of [["a", 3], ["b", 5]] as const) {
    const image = paint(40, 56, (y, x) => [y * level, x * level, 90]);
    folder.write(`photos/${name}.png`, encodePng(image, {}));
    folder.write(`photos/${name}.txt`, name);
  }
  const { code, err } = await runPrepare(folder.path, [
    ...["photos", "--out", "data", "--threads", "1", ...TINY],
  ]);
  strictEqual(code, 0, err);
  folder.write("photos/c.png", "no picture");
  const question = {
    image: "photos/a.png",
    question: "Q?",
    answer: ["x", "y"],
  };
  folder.write("q.jsonl", `${JSON.stringify(question)}\n[]\n`);
}

Deno.test("evaluate prints a table and JSON of all measures, and writes a page", async () => {
  using folder = temporaryFolder();
  await prepared(folder);
  const { config } = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
  using adapter = writeAdapter(config, { seed: 1 });
  const words = [
    ...["data", "--pictures", "photos", "--questions", "q.jsonl", ...TINY],
    ...["--report", "report.html", "--answer-tokens", "3"],
  ];
  const table = await runEvaluate(folder.path, words);
  strictEqual(table.code, 0, table.err);
  match(
    table.out,
    /^loss of pictures +\d+\.\d{4} nats a token +perplexity [\d.]+, 2 records, 140 tokens\nloss of records +[\d.]+ nats a token +mean over 2 records, as held-out loss\nPSNR +\d+\.\d\d dB +2 pictures\nSSIM +\d\.\d{4} +2 pictures\nexact match +0\.0 % +0 of 1 question\nunusable +1 record +for reconstruction\nunusable +1 record +for answers\n$/,
  );
  match(table.err, /"event":"progress","measure":"loss","done":2/);
  match(table.err, /"event":"unusable","record":"c\.png","reason":"[^"]+"/);
  const page = await Deno.readTextFile(`${folder.path}/report.html`);
  match(page, /<h1>Evaluation of .*emu3-tiny<\/h1>/);
  match(page, /<svg[^]*loss, sorted[^]*data:image\/png;base64,/);
  match(page, /Wrong answers[^]*x \| y[^]*Unusable records[^]*c\.png/);
  const json = await runEvaluate(folder.path, [
    ...["data", "--questions", "q.jsonl", "--limit", "1", "--json", ...TINY],
    ...["--adapter", adapter.path],
  ]);
  strictEqual(json.code, 0, json.err);
  const { loss, answers, reconstruction, ...settings } = JSON.parse(json.out);
  deepStrictEqual(settings, {
    ...{ model: TINY[1], adapter: adapter.path, data: "data", limit: 1 },
    ...{ pictures: null, questions: "q.jsonl" },
  });
  strictEqual(reconstruction, undefined);
  deepStrictEqual([loss.all.records, loss.all.tokens], [1, 70]);
  deepStrictEqual(loss.all, loss.pictures);
  ok(loss.all.loss > 0);
  deepStrictEqual(answers.records, 1);
  deepStrictEqual(answers.wrong[0].expected, ["x", "y"]);
});

Deno.test("evaluate ends with a code and a reason", async () => {
  using folder = temporaryFolder();
  await prepared(folder);
  folder.write("empty/x.md", "");
  folder.write("broken/c.png", "no picture");
  folder.write("none.jsonl", "\n");
  const cases: [readonly string[], number, RegExp][] = [
    [[], 2, /nothing to measure is named[^]*Usage:/],
    [["none", ...TINY], 1, /^Cannot open none: it does not exist; make it /],
    [["empty", ...TINY], 1, /make it with task prepare-data\n$/],
    [
      ["--pictures", "none", ...TINY],
      1,
      /^Cannot evaluate: there is no none; name a folder or file of records\n/,
    ],
    [["--pictures", "empty", ...TINY], 1, /^Cannot evaluate: empty has no pic/],
    [
      ["--pictures", "broken", ...TINY],
      1,
      /no record for reconstruction can be used, of 1; the first, c\.png: /,
    ],
    [
      ["--questions", "none", ...TINY],
      1,
      /^Cannot evaluate: there is no none; name a file of questions\n/,
    ],
    [
      ["--questions", "q.jsonl/x", ...TINY],
      1,
      /^Cannot evaluate: q.jsonl\/x cannot be read: a file is in the place of/,
    ],
    [
      ["--questions", "photos", ...TINY],
      1,
      /photos is no file: name JSON lines/,
    ],
    [["--questions", "none.jsonl", ...TINY], 1, /answers has no records/],
    [
      ["data", "--adapter", "photos", ...TINY],
      1,
      /photos\/adapter_config\.json/,
    ],
    [
      ["data", "--report", "no/r.html", ...TINY],
      1,
      /there is no folder no for/,
    ],
    [["data", "--model", "no/model"], 1, /no\/model/],
    [
      ["--pictures", "photos", ...TINY, "--vision-model", "empty"],
      1,
      /empty/,
    ],
  ];
  for (const [words, expected, message] of cases) {
    const { code, err } = await runEvaluate(folder.path, words);
    strictEqual(code, expected, `${words.join(" ")}\n${err}`);
    match(err, message);
    ok(!/\n {4}at /.test(err), err);
  }
  const device = await runEvaluate(folder.path, ["data"], { DEVICE: "tpu" });
  strictEqual(device.code, 1);
  match(
    device.err,
    /^Cannot open the device: DEVICE "tpu" is unknown, expected auto/,
  );
});

Deno.test("evaluate ends by the first signal, and prints no part of a result", async () => {
  using folder = temporaryFolder();
  const image = paint(40, 56, (y, x) => [y, x, 90]);
  folder.write("a.png", encodePng(image, {}));
  const line = JSON.stringify({ image: "a.png", question: "Q?", answer: "x" });
  folder.write("q.jsonl", `${line}\n`.repeat(20_000));
  const words = ["--questions", "q.jsonl", ...TINY];
  await using process = startEvaluate(folder.path, words);
  const decoder = new TextDecoder();
  let err = "";
  for await (const chunk of process.stderr) {
    if (err === "") process.kill("SIGINT");
    err += decoder.decode(chunk, { stream: true });
  }
  strictEqual(await new Response(process.stdout).text(), "");
  strictEqual((await process.status).code, 130);
  match(err, /Interrupted\n$/);
});
