/**
 * From start to end on the platforms that run containers.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  ask,
  type End,
  pause,
  type Platform,
  Pod,
  type Probe,
  type Reply,
  traffic,
} from "../support/kubelet.ts";
import { QueueProxy } from "../support/queue_proxy.ts";
import { json, TINY_FOLDERS } from "../support/tiny_server.ts";
import { freePort } from "../support/free_port.ts";

const env = { MODEL: TINY_FOLDERS.gen, THREADS: "1" };

const startup: Probe = {
  path: "/readyz",
  periodMs: 100,
  failureThreshold: 300,
};
const readiness: Probe = { path: "/readyz", periodMs: 50, failureThreshold: 1 };
const liveness: Probe = { path: "/livez", periodMs: 50, failureThreshold: 3 };

/** As Kubernetes is by default, with a balancer that is half a second late. */
const KUBERNETES: Platform = {
  env,
  startup,
  readiness,
  liveness,
  signal: "SIGTERM",
  graceMs: 30_000,
  removalLagMs: 500,
};

const short = { prompt: "a fox", height: 32, width: 32, seed: 1 };
/** Far more than any grace has time for. */
const long = {
  prompt: "a fox",
  height: 704,
  width: 704,
  n: 8,
  strategy: "autoregressive",
  seed: 1,
};

function draw(body: unknown): (url: string) => Promise<Reply> {
  return (url) => ask(url, "/v1/generate", json(body));
}

/** Starts a pod, ends it amid requests. */
async function live(
  pod: Pod,
  { url = pod.url, request = short, everyMs = 60 } = {},
): Promise<{ end: End; replies: Reply[] }> {
  await pod.ready;
  const sent = traffic(pod, url, draw(request), everyMs);
  await pause(300);
  const end = await pod.terminate();
  return { end, replies: await sent };
}

/** Nobody lost, whoever was refused may come again. */
function checkReplies(replies: readonly Reply[], refusals: RegExp): void {
  ok(replies.some(({ type }) => type === "answer"));
  const codes = new Set(
    replies.filter((reply) => reply.type === "answer")
      .map(({ body }) => JSON.stringify(JSON.parse(body).images[0].grid)),
  );
  strictEqual(codes.size, 1);
  for (const reply of replies) {
    if (reply.type === "answer") continue;
    if (reply.type === "lost") throw reply.error;
    strictEqual(reply.status, 503);
    ok(reply.problem.retryable);
    ok(refusals.test(reply.problem.error.code), reply.problem.detail);
  }
}

const NEVER = /^$/;
const CLEAN: End = { killed: false, code: 0 };

Deno.test("Kubernetes with a preStop that outlasts the balancer's lag: nobody is refused", async () => {
  await using pod = new Pod({ ...KUBERNETES, preStop: () => pause(700) });
  const { end, replies } = await live(pod);
  deepStrictEqual(end, CLEAN);
  checkReplies(replies, NEVER);
  strictEqual(pod.failedProbe, undefined);
});

Deno.test("Kubernetes without preStop: SHUTDOWN_DELAY_S outlasts the lag, who comes late is sent elsewhere", async () => {
  await using pod = new Pod({
    ...KUBERNETES,
    env: { ...env, SHUTDOWN_DELAY_S: "2" },
    // Balancers that look at endpoints alone, and late.
    readiness: { ...readiness, failureThreshold: 1000 },
  });
  const { end, replies } = await live(pod);
  deepStrictEqual(end, CLEAN);
  checkReplies(replies, /^draining$/);
  ok(replies.some(({ type }) => type === "refusal"));
  deepStrictEqual(statuses(pod), [200, 503]);
});

Deno.test("Cloud Run: what ten seconds are not enough for is told how to go on", async () => {
  await using pod = new Pod({
    env,
    startup,
    readiness,
    signal: "SIGTERM",
    graceMs: 10_000,
    removalLagMs: 0,
  });
  await pod.ready;
  const drawn = draw(long)(pod.url);
  await pause(500);
  deepStrictEqual(await pod.terminate(), CLEAN);
  const reply = await drawn;
  ok(reply.type === "refusal", JSON.stringify(reply).slice(0, 300));
  strictEqual(reply.problem.error.code, "interrupted");
  // Its disk is gone with it: what there is, is in the answer.
  strictEqual(reply.problem.job, undefined);
  strictEqual(reply.problem.state.seed, long.seed);
});

Deno.test("Knative: the proxy in front drains first, and nobody is refused", async () => {
  await using proxy = new QueueProxy(() => pod.url);
  await using pod: Pod = new Pod({
    ...KUBERNETES,
    preStop: () => proxy.drained(700),
  });
  const { end, replies } = await live(pod, { url: proxy.url });
  deepStrictEqual(end, CLEAN);
  checkReplies(replies, NEVER);
});

Deno.test("Fly: SIGINT and kill_timeout, with a grace that is shorter", async () => {
  await using pod = new Pod({
    env: { ...env, SHUTDOWN_GRACE_S: "3" },
    readiness,
    signal: "SIGINT",
    graceMs: 5000,
    removalLagMs: 0,
  });
  const { end, replies } = await live(pod);
  deepStrictEqual(end, CLEAN);
  // A request that is on its way when the signal comes is not begun.
  checkReplies(replies, /^(interrupted|draining)$/);
});

Deno.test("RunPod's balancer learns from /ping, at a port of its own, that a worker stops", async () => {
  const port = freePort();
  await using pod = new Pod({
    env: { ...env, PORT_HEALTH: `${port}`, SHUTDOWN_DELAY_S: "1" },
    readiness: {
      path: "/ping",
      port,
      periodMs: 50,
      failureThreshold: 1,
      isWell: (status) => status === 200,
    },
    signal: "SIGTERM",
    graceMs: 30_000,
    // It goes by /ping alone.
    removalLagMs: 30_000,
  });
  const { end, replies } = await live(pod);
  deepStrictEqual(end, CLEAN);
  checkReplies(replies, /^draining$/);
  deepStrictEqual(statuses(pod), [200, 503]);
});

Deno.test("a container that never is ready is killed by its startup probe", async () => {
  await using pod = new Pod({
    ...KUBERNETES,
    startup: { path: "/nothing", periodMs: 20, failureThreshold: 3 },
  });
  await pod.ready.catch(() => undefined);
  strictEqual(pod.failedProbe, "startup");
  strictEqual(pod.inService, false);
});

/** What the readiness probe saw between start and end. */
function statuses({ seen }: Pod): number[] {
  return seen.filter((status) => status !== 0 && status !== 204);
}
