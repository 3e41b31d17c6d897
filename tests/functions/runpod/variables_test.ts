import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { EnvironmentError, readEnvironment } from "../../../functions/env.ts";

const QUEUE = {
  RUNPOD_WEBHOOK_GET_JOB: "https://api.example/v2/e/job-take/$ID?gpu=A",
  RUNPOD_WEBHOOK_POST_OUTPUT:
    "https://api.example/v2/e/job-done/$RUNPOD_POD_ID/$ID?gpu=A",
};

function read(variables: Readonly<Record<string, string>>) {
  const machine = { cpus: 1, memoryBytes: 2 ** 30 };
  return readEnvironment(machine, (name) => variables[name]).runpod;
}

Deno.test("runpodPlace() is undefined without RunPod's variables", () => {
  strictEqual(read({}), undefined);
  strictEqual(
    read({ RUNPOD_POD_ID: "pod1", RUNPOD_AI_API_KEY: "k" }),
    undefined,
  );
});

Deno.test("runpodPlace() derives the URLs of one worker from RunPod's variables", () => {
  const place = read({
    ...QUEUE,
    RUNPOD_WEBHOOK_POST_STREAM: "https://api.example/s/$RUNPOD_POD_ID/$ID",
    RUNPOD_WEBHOOK_PING: "https://api.example/ping/$RUNPOD_POD_ID",
    RUNPOD_PING_INTERVAL: "4000",
    RUNPOD_AI_API_KEY: "key",
    RUNPOD_POD_ID: "pod/1",
  });
  deepStrictEqual(place, {
    workerId: "pod/1",
    key: "key",
    takeUrl: "https://api.example/v2/e/job-take/pod%2F1?gpu=A",
    outputUrl: "https://api.example/v2/e/job-done/pod%2F1/$ID?gpu=A",
    streamUrl: "https://api.example/s/pod%2F1/$ID",
    pingUrl: "https://api.example/ping/pod%2F1",
    pingMs: 4000,
  });
});

Deno.test("runpodPlace() generates a worker's id, and pings every ten seconds by default", () => {
  const [one, other] = [read(QUEUE)!, read(QUEUE)!];
  strictEqual(one.workerId === other.workerId, false);
  deepStrictEqual([one.pingMs, one.pingUrl, one.key], [10_000, undefined, ""]);
});

Deno.test("runpodPlace() names an invalid variable", () => {
  const wrong: readonly (readonly [string, Record<string, string>])[] = [
    ["RUNPOD_WEBHOOK_GET_JOB", { RUNPOD_WEBHOOK_GET_JOB: "job-take" }],
    ["RUNPOD_WEBHOOK_PING", { RUNPOD_WEBHOOK_PING: "ftp://a/b" }],
    ["RUNPOD_PING_INTERVAL", { RUNPOD_PING_INTERVAL: "0" }],
    ["RUNPOD_WEBHOOK_POST_OUTPUT", {
      RUNPOD_WEBHOOK_GET_JOB: QUEUE.RUNPOD_WEBHOOK_GET_JOB,
    }],
  ];
  for (const [name, variables] of wrong) {
    throws(
      () => read(variables),
      (error: unknown) =>
        error instanceof EnvironmentError && error.variable === name &&
        error.message.startsWith(`Cannot use ${name}: `),
    );
  }
});
