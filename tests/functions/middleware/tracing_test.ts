/**
 * The spans that a collector receives from a server in a separate process.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { json, TINY_FOLDERS } from "../../support/tiny_server.ts";
import { startServer } from "../../support/server.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PART = "b7ad6b7169203331";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }[];
}

/** Returns a collector on loopback that records the spans it receives. */
function openCollector() {
  const spans: Span[] = [];
  const bodies: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const text = await request.text();
      bodies.push(text);
      for (const { scopeSpans } of JSON.parse(text).resourceSpans ?? []) {
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
      return Response.json({});
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    spans,
    bodies,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("tracing() exports a request with its phases, and no prompt", async () => {
  await using collector = openCollector();
  let told: string | null;
  {
    await using server = await startServer({
      MODEL: TINY_FOLDERS.gen,
      THREADS: "1",
      FUNCTIONS: "generate",
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    });
    const answer = await fetch(
      `${server.url}/v1/generate`,
      json({ prompt: "secret-of-the-prompt", height: 16, width: 16 }, {
        traceparent: `00-${TRACE}-${PART}-01`,
      }),
    );
    strictEqual(answer.status, 200);
    await answer.body?.cancel();
    told = answer.headers.get("traceparent");
  }
  const spans = collector.spans.filter(({ traceId }) => traceId === TRACE);
  const request = spans.find(({ name }) => name === "POST /v1/generate")!;
  ok(request, JSON.stringify(spans.map(({ name }) => name)));
  strictEqual(request.parentSpanId, PART);
  strictEqual(told, `00-${TRACE}-${request.spanId}-01`);
  const phases = spans.filter(({ parentSpanId }) =>
    parentSpanId === request.spanId
  ).sort((a, b) =>
    Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano))
  );
  deepStrictEqual(
    phases.map(({ name }) => name).sort(),
    ["decode", "prefill", "queue", "vision"],
  );
  for (const { attributes, startTimeUnixNano, endTimeUnixNano } of phases) {
    ok(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano));
    const model = attributes.find(({ key }) => key === "emu3.model");
    strictEqual(model?.value.stringValue, "emu3-tiny");
  }
  ok(!collector.bodies.join().includes("secret-of-the-prompt"));
});
