import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createApp } from "../../../functions/app.ts";
import {
  formatTraceParent,
  parseTraceParent,
} from "../../../functions/middleware/trace_parent.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { appOptions } from "../../support/tiny_server.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PART = "b7ad6b7169203331";
const HEADER = `00-${TRACE}-${PART}-01`;

Deno.test("parseTraceParent() inverts formatTraceParent()", () => {
  const parsed = parseTraceParent(HEADER)!;
  deepStrictEqual(parsed, { traceId: TRACE, spanId: PART, flags: "01" });
  strictEqual(formatTraceParent(parsed), HEADER);
});

Deno.test("parseTraceParent() accepts later versions, and nothing malformed", () => {
  ok(parseTraceParent(`01-${TRACE}-${PART}-01-more`));
  const bad = [
    undefined,
    "",
    `ff-${TRACE}-${PART}-01`,
    `${HEADER}-more`,
    `00-${"0".repeat(32)}-${PART}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    HEADER.toUpperCase(),
    HEADER.slice(1),
  ];
  deepStrictEqual(bad.filter(parseTraceParent), []);
});

Deno.test("tracing() continues the trace of a request", async () => {
  const { options, trace } = appOptions();
  const app = createApp(fakeServices(runAtOnce), options);
  const headers = { traceparent: HEADER };
  const answer = await app.request("/v1/models", { headers });
  const told = answer.headers.get("traceparent")!;
  match(told, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  ok(!told.includes(PART), "it is a part of its own");
  strictEqual(trace.access[0]!.trace, TRACE);
  const refused = await app.request("/nowhere", { headers });
  match(refused.headers.get("traceparent")!, new RegExp(TRACE));
});

Deno.test("tracing() ignores a missing or malformed trace", async () => {
  const { options, trace } = appOptions();
  const app = createApp(fakeServices(runAtOnce), options);
  const headers = { traceparent: "gibberish" };
  const answer = await app.request("/v1/models", { headers });
  strictEqual(answer.headers.get("traceparent"), null);
  strictEqual(trace.access[0]!.trace, undefined);
});
