/**
 * The tests of a server's lifecycle on the platforms that run containers.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  ask,
  type End,
  type Platform,
  Pod,
  type Probe,
  type Reply,
  traffic,
} from "../support/kubelet.ts";
import { delay } from "../../lib/async/delay.ts";
import { QueueProxy } from "../support/queue_proxy.ts";
import { json, TINY_FOLDERS } from "../support/tiny_server.ts";
import { until } from "../support/until.ts";
import { freePort } from "../support/free_port.ts";

const env = { MODEL: TINY_FOLDERS.gen, THREADS: "1" };

const startup: Probe = {
  path: "/readyz",
  periodMs: 100,
  failureThreshold: 300,
};
const readiness: Probe = { path: "/readyz", periodMs: 50, failureThreshold: 1 };
const liveness: Probe = { path: "/livez", periodMs: 50, failureThreshold: 3 };

/** Kubernetes with its defaults, and a balancer that lags half a second. */
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
/** A request that exceeds every grace. */
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

/** Starts a pod, and ends it amid requests. */
async function live(
  pod: Pod,
  { url = pod.url, request = short, everyMs = 60 } = {},
): Promise<{ end: End; replies: Reply[] }> {
  await pod.ready;
  const { first, replies } = traffic(pod, url, draw(request), everyMs);
  await first;
  const end = await pod.terminate();
  return { end, replies: await replies };
}

/** Checks that no request is lost, and that refused ones may be retried. */
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

Deno.test("Kubernetes with a preStop that outlasts the balancer's lag refuses no request", async () => {
  await using pod = new Pod({ ...KUBERNETES, preStop: () => delay(700) });
  const { end, replies } = await live(pod);
  deepStrictEqual(end, CLEAN);
  checkReplies(replies, NEVER);
  strictEqual(pod.failedProbe, undefined);
});

Deno.test("Kubernetes without preStop: SHUTDOWN_DELAY_S outlasts the lag, and late requests are redirected", async () => {
  await using pod = new Pod({
    ...KUBERNETES,
    env: { ...env, SHUTDOWN_DELAY_S: "2" },
    // Some balancers use endpoints alone, and lag.
    readiness: { ...readiness, failureThreshold: 1000 },
  });
  const { end, replies } = await live(pod);
  deepStrictEqual(end, CLEAN);
  checkReplies(replies, /^draining$/);
  ok(replies.some(({ type }) => type === "refusal"));
  deepStrictEqual(statuses(pod), [200, 503]);
});

Deno.test("Cloud Run: a request too long for ten seconds gets its resume state", async () => {
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
  await until(async () => {
    const model = await fetch(`${pod.url}/v1/models/emu3-tiny`);
    return (await model.json()).engine.running > 0;
  });
  deepStrictEqual(await pod.terminate(), CLEAN);
  const reply = await drawn;
  ok(reply.type === "refusal", JSON.stringify(reply).slice(0, 300));
  strictEqual(reply.problem.error.code, "interrupted");
  // The disk is gone with the container: the response holds everything.
  strictEqual(reply.problem.job, undefined);
  strictEqual(reply.problem.state.seed, long.seed);
});

Deno.test("Knative: the proxy in front drains first, and no request is refused", async () => {
  await using proxy = new QueueProxy(() => pod.url);
  await using pod: Pod = new Pod({
    ...KUBERNETES,
    preStop: () => proxy.drained(700),
  });
  const { end, replies } = await live(pod, { url: proxy.url });
  deepStrictEqual(end, CLEAN);
  checkReplies(replies, NEVER);
});

Deno.test("Fly: SIGINT and kill_timeout, with a shorter grace", async () => {
  await using pod = new Pod({
    env: { ...env, SHUTDOWN_GRACE_S: "3" },
    readiness,
    signal: "SIGINT",
    graceMs: 5000,
    removalLagMs: 0,
  });
  const { end, replies } = await live(pod);
  deepStrictEqual(end, CLEAN);
  // A request in transit at the signal is not begun.
  checkReplies(replies, /^(interrupted|draining)$/);
});

Deno.test("RunPod load balancer detects a stopping worker by /ping, on a separate port", async () => {
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
    // The balancer uses /ping alone.
    removalLagMs: 30_000,
  });
  const { end, replies } = await live(pod);
  deepStrictEqual(end, CLEAN);
  checkReplies(replies, /^draining$/);
  deepStrictEqual(statuses(pod), [200, 503]);
});

Deno.test("A container that never becomes ready is killed by its startup probe", async () => {
  await using pod = new Pod({
    ...KUBERNETES,
    startup: { path: "/nothing", periodMs: 20, failureThreshold: 3 },
  });
  await pod.ready.catch(() => undefined);
  strictEqual(pod.failedProbe, "startup");
  strictEqual(pod.inService, false);
});

/**
 * Returns the statuses that the readiness probe received between start and end.
 */
function statuses({ seen }: Pod): number[] {
  return seen.filter((status) => status !== 0 && status !== 204);
}
