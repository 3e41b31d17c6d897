/**
 * The lists of jobs and predictions, and long answers, also from stores of the
 * version before.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { openDatabase } from "../../../functions/jobs/store/database.ts";
import {
  type Job,
  jobFields,
  jobParts,
  resultFields,
} from "../../../functions/jobs/job.ts";
import { MIGRATIONS } from "../../../functions/jobs/store/migrations.ts";
import {
  type JsonPart,
  lengthOf,
  piecesOf,
} from "../../../functions/http/json_parts.ts";
import {
  predictionFields,
  predictionParts,
} from "../../../functions/compat/replicate/prediction.ts";
import { newJob, success } from "../../support/job_tables.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { openTinyServer } from "../../support/tiny_server.ts";

const MIB = 2 ** 20;

/** Returns the text of parts, checked for its length. */
function parsed(parts: readonly JsonPart[]): unknown {
  const bytes = Buffer.concat([...piecesOf(parts)]);
  strictEqual(bytes.length, lengthOf(parts));
  return JSON.parse(bytes.toString());
}

const JOB: Job = {
  ...newJob("job-1", { createdAt: 5 }),
  status: "succeeded",
  startedAt: 6,
  finishedAt: 7,
  path: "/v1/generate",
  progress: { done: 1, total: 2 },
  error: undefined,
};

const anyFile = fc.record({
  "b64_json": fc.uint8Array({ maxLength: 99 }).map((a) =>
    Buffer.from(a).toString("base64")
  ),
  "mime_type": fc.constantFrom("image/png", "image/jpeg"),
  height: fc.nat(9),
});
/** Arbitrary text that resembles the searched text. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom('"b64_json":"', '","mime_type":"', '"frames":[', '\\"', "é"),
);
const anyResult = fc.oneof(
  fc.record({ model: anyText, images: fc.array(anyFile, { maxLength: 3 }) })
    .map((result) => ["/v1/generate", result] as const),
  fc.record({ model: anyText, frames: fc.array(anyFile, { minLength: 1 }) })
    .map((result) => ["/v1/detokenize", result] as const),
  fc.tuple(anyText, anyFile)
    .map(([model, file]) => ["/v1/detokenize", { model, ...file }] as const),
  fc.record({ model: anyText, text: anyText, parts: fc.array(anyText) })
    .map((result) => ["/v1/detokenize", result] as const),
  fc.record({ text: anyText })
    .map((result) => ["/v1/caption", result] as const),
  fc.record({ model: anyText, grid: fc.array(fc.nat()) })
    .map((result) => ["/v1/tokenize", result] as const),
);

Deno.test("jobParts() and predictionParts() equal their parsed fields", () => {
  const prediction = { model: "m", version: "v", input: { prompt: "a" } };
  fc.assert(fc.property(anyResult, ([path, result]) => {
    const job = { ...JOB, path, prediction };
    const answer = {
      headers: { "content-type": "application/json" },
      body: new TextEncoder().encode(JSON.stringify(result)),
    };
    deepStrictEqual(
      parsed(predictionParts(job, answer, "http://x")),
      JSON.parse(JSON.stringify(predictionFields(job, answer, "http://x"))),
    );
    deepStrictEqual(
      parsed(jobParts(job, answer)),
      JSON.parse(
        JSON.stringify({ ...jobFields(job), result: resultFields(answer) }),
      ),
    );
  }));
  for (const type of ["image/png", "text/plain"]) {
    const headers = { "content-type": type, "x-grid-height": "3" };
    const answer = { headers, body: Uint8Array.from([65, 66, 67, 68]) };
    deepStrictEqual(
      parsed(jobParts(JOB, answer)),
      JSON.parse(
        JSON.stringify({ ...jobFields(JOB), result: resultFields(answer) }),
      ),
    );
  }
  deepStrictEqual(
    parsed(jobParts(JOB, undefined)),
    JSON.parse(JSON.stringify(jobFields(JOB))),
  );
});

Deno.test("jobPage() lists a store of the version before with inputs and errors of any size", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const old = openDatabase(path, MIGRATIONS.slice(0, 5));
  const insert = old.prepare(
    "INSERT INTO jobs (id, principal, status, created_at, finished_at, seed, path, prediction, error) VALUES (?, 'anonymous', 'failed', ?, ?, 1, '/v1/generate', ?, ?)",
  );
  for (let i = 0; i < 150; i++) {
    const input = { prompt: "x".repeat(i % 3 === 0 ? MIB : 50_000) };
    const errors = Array(i % 2 === 0 ? 10_000 : 1)
      .fill({ pointer: "/a", detail: "expected less" });
    insert.run(
      `p-${i}`,
      Date.now(),
      Date.now(),
      JSON.stringify({ model: "m", version: "", input }),
      JSON.stringify({ status: 422, detail: "no", errors }),
    );
  }
  old.close();
  await using server = await openTinyServer({}, {}, {
    path,
    maxBytes: 2 ** 30,
  });
  for (
    const [first, name] of [["/v1/predictions", "results"], [
      "/v1/jobs",
      "data",
    ]]
  ) {
    const ids: string[] = [];
    for (let path: string | null = first!; path !== null;) {
      const text: string = await (await server.app.request(path)).text();
      ok(text.length < 1.5 * MIB, `${text.length} bytes`);
      const page = JSON.parse(text);
      ids.push(...page[name!].map(({ id }: { id: string }) => id));
      const more: boolean = page["has_more"];
      path = page.next ?? (more ? `/v1/jobs?after=${ids.at(-1)}` : null);
    }
    const all = Array.from({ length: 150 }, (_, i) => `p-${i}`);
    deepStrictEqual(ids, all.reverse());
  }
  strictEqual((await server.app.request("/v1/jobs?after=no")).status, 404);
  strictEqual((await server.app.request("/predictions?cursor=no")).status, 404);
});

Deno.test("jobResponse() streams a long answer, counts it meanwhile, and refuses others", async () => {
  await using server = await openTinyServer({}, {}, { maxBytes: 2 ** 30 });
  const { store } = server.jobs;
  const size = 40 * MIB;
  store.insert(newJob("long"));
  store.end("long", success(Date.now(), size));
  const get = () => server.app.request("/v1/jobs/long");
  const answers = [await get(), await get(), await get(), await get()];
  const fifth = await get();
  strictEqual(fifth.status, 429);
  ok(Number(fifth.headers.get("retry-after")) > 0);
  const head = await server.app.request("/v1/jobs/long", { method: "HEAD" });
  strictEqual(head.status, 429);
  for (const answer of answers.slice(1)) await answer.body!.cancel();
  const text = await answers[0]!.text();
  strictEqual(text.length, Number(answers[0]!.headers.get("content-length")));
  strictEqual(
    JSON.parse(text).result["b64_json"].length,
    4 * Math.ceil(size / 3),
  );
  strictEqual(
    (await server.app.request("/v1/jobs/long", { method: "HEAD" })).status,
    200,
  );
});
