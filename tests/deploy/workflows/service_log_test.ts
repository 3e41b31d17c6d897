import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { ChainProblem } from "../../../deploy/workflows/durable/chain_problem.ts";
import { UnansweredError } from "../../../deploy/workflows/emu3/emu3_errors.ts";
import {
  type ServiceEvent,
  serviceLog,
} from "../../../deploy/workflows/service_log.ts";

/** Returns the event of a level, within a handler or outside of all. */
function event(
  level: string,
  handlerName?: string,
  replaying = false,
): ServiceEvent {
  if (handlerName === undefined) return { level, replaying };
  const context = {
    handlerName,
    invocationId: "inv_1",
    invocationTarget: `imagine/a/${handlerName}`,
  };
  return { level, replaying, context };
}

/** Logs an event; returns the lines. */
function logged(...given: Parameters<ReturnType<typeof serviceLog>>) {
  const lines: string[] = [];
  serviceLog((line) => lines.push(line), () => 0)(...given);
  return lines.map((line) => JSON.parse(line));
}

Deno.test("an event is one line of JSON with its invocation", () => {
  deepStrictEqual(logged(event("info", "run"), "started\nnow", { a: 1 }), [{
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    id: "inv_1",
    target: "imagine/a/run",
    message: 'started\nnow {"a":1}',
  }]);
});

Deno.test("replays, details, and queries that succeed are not logged", () => {
  deepStrictEqual(logged(event("info", "run", true), "x"), []);
  deepStrictEqual(logged(event("debug", "run"), "x"), []);
  deepStrictEqual(logged(event("info", "status"), "x"), []);
  strictEqual(logged(event("warn", "status"), "x").length, 1);
  strictEqual(logged(event("info"), "x").length, 1);
});

Deno.test("a problem is logged without its text, a lost connection with it", () => {
  const problem = new ChainProblem("draw", 422, { detail: "prompt: a secret" });
  const [refused] = logged(event("error", "run"), "failed", problem);
  strictEqual(refused.message, `failed ${problem.name} 422`);
  const lost = new UnansweredError("/v1/generate answered 500");
  const [unanswered] = logged(event("warn", "run"), lost);
  strictEqual(
    unanswered.message,
    "UnansweredError: /v1/generate answered 500",
  );
});

Deno.test("a message is cut to a bounded length", () => {
  const [{ message }] = logged(event("error"), "x".repeat(1e6));
  ok(message.length <= 1000);
});
