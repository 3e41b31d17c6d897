import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { type Phase, PhaseLog } from "../../../functions/models/load_phases.ts";

/** Returns a log whose clock a test sets, in milliseconds. */
function logAt() {
  const heard: Phase[] = [];
  let now = 0;
  const log = new PhaseLog((phase) => void heard.push(phase), () => now);
  return {
    log,
    heard,
    at: (ms: number) => {
      now = ms;
    },
  };
}

const from = (phase: string, bytes: number, totalBytes?: number) => ({
  phase,
  bytes,
  totalBytes,
  place: "hub",
});

Deno.test("PhaseLog records start, duration and order of phases", async () => {
  const { log, heard, at } = logAt();
  at(500);
  const first = Promise.withResolvers<number>();
  const running = log.run("weights", () => first.promise);
  at(700);
  await log.run("tokenizer", () => {
    at(900);
    return Promise.resolve();
  });
  deepStrictEqual(
    log.phases.map(({ name, startedAt, seconds }) => [
      name,
      startedAt,
      seconds?.toFixed(1),
    ]),
    [["weights", 0.5, undefined], ["tokenizer", 0.7, "0.2"]],
  );
  at(1500);
  first.resolve(7);
  strictEqual(await running, 7);
  deepStrictEqual(heard.map(({ name, seconds }) => [name, seconds]), [
    ["tokenizer", 0.2],
    ["weights", 1],
  ]);
});

Deno.test("PhaseLog resumes a repeated phase, and counts concurrent runs once", async () => {
  const { log, heard, at } = logAt();
  const one = Promise.withResolvers<void>();
  const two = Promise.withResolvers<void>();
  const runs = [
    log.run("weights", () => one.promise),
    log.run("weights", () => two.promise),
  ];
  at(1000);
  one.resolve();
  await runs[0];
  strictEqual(heard.length, 0);
  at(2000);
  two.resolve();
  await runs[1];
  at(5000);
  await log.run("weights", () => {
    at(6000);
    return Promise.resolve();
  });
  deepStrictEqual(log.phases.map(({ seconds }) => seconds), [3]);
});

Deno.test("PhaseLog ends a failed phase, and rethrows its error", async () => {
  const { log } = logAt();
  await rejects(
    log.run("weights", () => Promise.reject(new TypeError("no"))),
    TypeError,
  );
  strictEqual(log.phases[0]!.seconds, 0);
});

Deno.test("PhaseLog estimates a transfer's recent rate and its end", () => {
  const { log, heard, at } = logAt();
  strictEqual(log.retryAfterSeconds, 2);
  log.follow(from("resolve", 0));
  strictEqual(log.retryAfterSeconds, 2);
  at(1000);
  log.follow(from("download", 0));
  strictEqual(log.retryAfterSeconds, 10);
  for (let second = 2; second <= 40; second++) {
    at(1000 * second);
    // Slow for twenty seconds, then fast.
    const bytes = second <= 20 ? second : 20 + 100 * (second - 20);
    log.follow(from("download", bytes, 5020));
  }
  const { transfer } = log.phases[1]!;
  strictEqual(transfer!.bytesPerSecond, 100);
  strictEqual(log.retryAfterSeconds, 2 + 30);
  log.follow(from("verify", 5020, 5020));
  log.arrived();
  deepStrictEqual(
    log.phases.map(({ name, seconds }) => [name, seconds]),
    [["resolve", 1], ["download", 39], ["verify", 0]],
  );
  strictEqual(log.retryAfterSeconds, 2);
  const progress = heard.filter(({ name, seconds }) =>
    name === "download" && seconds === undefined
  );
  // Reported every five seconds, not at each progress.
  strictEqual(progress.length, 7);
});

Deno.test("PhaseLog bounds Retry-After for a stalled transfer", () => {
  const { log, at } = logAt();
  log.follow(from("download", 5, 1e12));
  at(1000);
  log.follow(from("download", 5, 1e12));
  strictEqual(log.retryAfterSeconds, 10);
  at(2000);
  log.follow(from("download", 6, 1e12));
  strictEqual(log.retryAfterSeconds, 600);
});

Deno.test("PhaseLog includes shared phases", async () => {
  const { log, at } = logAt();
  const shared = new PhaseLog(() => {}, () => 100);
  at(200);
  await log.run("weights", () => Promise.resolve());
  await shared.run("library", () => Promise.resolve());
  log.share(shared);
  deepStrictEqual(log.phases.map(({ name }) => name), ["library", "weights"]);
});
