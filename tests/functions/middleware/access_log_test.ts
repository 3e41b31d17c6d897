import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { apiKeys } from "../../../functions/middleware/api_keys.ts";
import { createApp } from "../../../functions/app.ts";
import {
  lineSink,
  type LogFormat,
} from "../../../functions/middleware/log_sink.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { appOptions, json } from "../../support/tiny_server.ts";

const KEY = "secret-key";

/** Returns the line of one request with secrets in every field. */
async function line(format: LogFormat, path = "/v1/generate"): Promise<string> {
  const out: string[] = [];
  const log = lineSink(format, (line) => out.push(line), () => {});
  const { options } = appOptions({ log, apiKeys: apiKeys(KEY) });
  const body = { prompt: "secret-prompt", height: 16, width: 16 };
  await createApp(fakeServices(runAtOnce), options).request(
    `${path}?question=secret-question`,
    json(body, {
      authorization: `Bearer ${KEY}`,
      "x-request-id": "my-id",
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-00`,
    }),
  );
  strictEqual(out.length, 1);
  return out[0]!;
}

Deno.test("accessLog() logs principal, model, durations and trace", async () => {
  const record = JSON.parse(await line("json"));
  deepStrictEqual(Object.keys(record), [
    "time",
    "id",
    "method",
    "path",
    "status",
    "duration_ms",
    "principal",
    "tokens",
    "model",
    "queue_ms",
    "prefill_ms",
    "decode_ms",
    "vision_ms",
    "trace",
  ]);
  deepStrictEqual(
    [record.id, record.status, record.model, record.principal, record.trace],
    ["my-id", 200, "fake", apiKeys(KEY)[0]!.name, "a".repeat(32)],
  );
});

Deno.test("accessLog() logs neither prompts nor keys", async () => {
  for (const format of ["json", "pretty"] as const) {
    ok(!(await line(format)).includes("secret"), format);
    ok(!(await line(format, "/nowhere")).includes("secret"), format);
  }
});

Deno.test("accessLog() omits unknown fields", async () => {
  const record = JSON.parse(await line("json", "/nowhere"));
  ok(!("model" in record) && !("queue_ms" in record) && !("tokens" in record));
});

Deno.test("lineSink() writes readable lines in the pretty format", async () => {
  match(
    await line("pretty"),
    /^\d\d:\d\d:\d\d 200 POST \/v1\/generate [\d.]+ ms \d+ tokens my-id$/,
  );
});
