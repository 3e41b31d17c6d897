/**
 * The laws of a cluster: a node may die at any moment, and nothing is drawn
 * twice.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { writeAll } from "../../deploy/command/run_command.ts";
import { registerService } from "../../deploy/workflows/cluster/register.ts";
import { delay } from "../../lib/async/delay.ts";
import { type Node, startCluster } from "./cluster/cluster.ts";

/** Chains that run when the node dies. */
const CHAINS = 40;

/** Milliseconds of a drawing: several are in flight at any time. */
const DRAWING_MS = 1500;

Deno.test("a cluster of three nodes loses no chain and draws nothing twice when a node is killed", async () => {
  await using cluster = await startCluster(DRAWING_MS);
  const { nodes, service } = cluster;
  const [first, second, third] = nodes;
  await Promise.all(nodes.map((node) => node.start()));
  const provision = ["provision", "--yes", "--address", first.address];
  await untilDone(() => cluster.restatectl(...provision));
  await cluster.restatectl(...provision);
  await registerService({
    service,
    admin: first.admin,
    ingresses: nodes.map(({ ingress }) => ingress),
    intervalMs: 100,
  }, new AbortController().signal);
  const unsigned = await fetch(`${service}/discover`);
  strictEqual(unsigned.status, 401);
  await unsigned.body?.cancel();

  const keys = Array.from({ length: CHAINS }, (_, index) => `chain-${index}`);
  for (const key of keys) {
    strictEqual(await post(second, `imagine/${key}/run/send`, key), 202);
  }
  await delay(DRAWING_MS / 2);
  const memory = await residentMib(nodes);
  await first.kill();
  const killed = performance.now();
  const outputs = await Promise.all(keys.map((key) => output(third, key)));
  const seconds = (performance.now() - killed) / 1000;
  for (const { caption, picture } of outputs) {
    ok(caption.length > 0);
    strictEqual(picture.grid.codes.length, 4);
  }
  const events = cluster.events();
  const drawn = events.filter(({ event }) => event === "drawn");
  deepStrictEqual(
    drawn.map(({ key }) => key).sort(),
    keys.map((key) => `imagine/${key}/draw`).sort(),
  );
  strictEqual(events.filter(({ event }) => event === "draw").length, CHAINS);

  const started = performance.now();
  await first.start();
  await first.ready();
  const rejoined = (performance.now() - started) / 1000;
  strictEqual(await post(first, "imagine/after/run/send", "after"), 202);
  ok((await output(first, "after")).caption.length > 0);
  while (cluster.snapshots().length === 0) await delay(100);
  const submissions = events.filter(({ event }) => event === "/v1/generate");
  const figures = [
    `the last of ${CHAINS} chains ended ${fixed(seconds)} s after the kill`,
    `${submissions.length} submissions of ${drawn.length} drawings`,
    `the node was back in ${fixed(rejoined)} s`,
    `nodes have ${memory.join(", ")} MiB`,
    `${cluster.snapshots().length} objects of snapshots`,
  ];
  writeAll(Deno.stderr, `${figures.join("; ")}\n`);
});

function fixed(seconds: number): string {
  return seconds.toFixed(1);
}

/** Sends a request to a node's ingress; returns its status. */
async function post(
  { ingress }: Node,
  path: string,
  prompt: string,
): Promise<number> {
  const response = await fetch(`${ingress}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt, seed: 7 }),
  });
  await response.body?.cancel();
  return response.status;
}

/** Waits for the output of a chain, through a node's ingress. */
async function output({ ingress }: Node, key: string) {
  const url = `${ingress}/restate/workflow/imagine/${key}/attach`;
  return await untilDone(async () => {
    const response = await fetch(url);
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    throw new Error(`${url} answers ${response.status}: ${text}`);
  });
}

/** Repeats an attempt that fails while the cluster starts or elects a leader. */
async function untilDone<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 100;; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await delay(200);
    }
  }
}

/** Returns the resident memory of each node, in MiB; empty but on Linux. */
async function residentMib(nodes: readonly Node[]): Promise<number[]> {
  if (Deno.build.os !== "linux") return [];
  return await Promise.all(nodes.map(async ({ pid }) => {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }));
}
