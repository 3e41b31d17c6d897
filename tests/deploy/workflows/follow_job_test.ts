import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { Emu3Client } from "../../../deploy/workflows/emu3/emu3_client.ts";
import {
  RefusedError,
  UnansweredError,
} from "../../../deploy/workflows/emu3/emu3_errors.ts";
import {
  cancelJob,
  followJob,
  submitJob,
} from "../../../deploy/workflows/emu3/follow_job.ts";
import { drawnFrom } from "../../../deploy/workflows/durable/drawn.ts";
import { until } from "../../support/until.ts";
import {
  type EmulatedEmu3,
  emulatedGrid,
  emulateEmu3,
} from "./emulated_emu3.ts";

const { signal } = new AbortController();

function clientOf({ url }: EmulatedEmu3): Emu3Client {
  return new Emu3Client({ url, apiKey: undefined });
}

async function submit(server: EmulatedEmu3): Promise<string> {
  const request = { path: "/v1/generate", body: { seed: 5 } };
  const keyed = { ...request, idempotencyKey: "imagine/1/draw" };
  const submission = await submitJob(clientOf(server), keyed, signal);
  if (submission.type === "done") return submission.value;
  throw new Error("the server is busy");
}

/** Returns the answers of a job by its states, one after the other. */
function states(...answers: readonly Readonly<Record<string, unknown>>[]) {
  const rest = [...answers];
  return (path: string) =>
    path === "GET /v1/jobs/1" && rest.length > 0
      ? Response.json(rest.shift())
      : path === "POST /v1/jobs/1/resume"
      ? Response.json({}, { status: 202 })
      : undefined;
}

async function follow(
  ...answers: readonly Readonly<Record<string, unknown>>[]
) {
  await using server = emulateEmu3({ intercept: states(...answers) });
  const end = await followJob(clientOf(server), "/v1/jobs/1", signal);
  return { end, paths: server.requests.map(({ path }) => path) };
}

Deno.test("submitJob() gets the same job for the same key", async () => {
  await using server = emulateEmu3();
  strictEqual(await submit(server), await submit(server));
  deepStrictEqual([...server.drawn.values()], [1]);
});

Deno.test("followJob() returns the result once the job has ended", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using server = emulateEmu3({ drawing: () => promise });
  const end = followJob(clientOf(server), await submit(server), signal);
  await until(() =>
    server.requests.some(({ path }) => path.endsWith("/events"))
  );
  resolve();
  const outcome = await end;
  strictEqual(outcome.type, "done");
  if (outcome.type !== "done") return;
  deepStrictEqual(drawnFrom(outcome.result, 5), {
    seed: 5,
    grid: emulatedGrid(5),
  });
});

Deno.test("followJob() resumes an interrupted job", async () => {
  const { end, paths } = await follow(
    { status: "interrupted", resumable: true },
    { status: "succeeded", result: { a: 1 } },
  );
  deepStrictEqual(end, { type: "done", result: { a: 1 } });
  deepStrictEqual(paths, [
    "GET /v1/jobs/1",
    "POST /v1/jobs/1/resume",
    "GET /v1/jobs/1",
  ]);
});

Deno.test("followJob() has lost a job that is gone, or was canceled", async () => {
  strictEqual((await follow()).end.type, "lost");
  strictEqual((await follow({ status: "canceled" })).end.type, "lost");
});

Deno.test("followJob() refuses a job that failed for good", async () => {
  const error = { status: 422, detail: "no" };
  await rejects(
    follow({ status: "failed", resumable: false, error }),
    (thrown) => thrown instanceof RefusedError && thrown.status === 422,
  );
});

Deno.test("followJob() has no answer from a job that fails again after it was resumed", async () => {
  const failed = { status: "failed", resumable: true };
  await rejects(follow(failed, failed), UnansweredError);
});

Deno.test("cancelJob() ends a job, and accepts one that is gone", async () => {
  await using server = emulateEmu3({ drawing: () => new Promise(() => {}) });
  const job = await submit(server);
  await cancelJob(clientOf(server), job, signal);
  deepStrictEqual([...server.canceled], ["imagine/1/draw"]);
  await cancelJob(clientOf(server), "/v1/jobs/gone", signal);
});

Deno.test("drawnFrom() has no answer in a result without codes", () => {
  try {
    drawnFrom({ grid_height: 1 }, 1);
  } catch (error) {
    strictEqual(error instanceof UnansweredError, true);
    return;
  }
  throw new Error("it accepted the result");
});
