import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createApp } from "../../../functions/app.ts";
import type { EngineListing } from "../../../functions/models/ports.ts";
import { fakeServices, listing, runAtOnce } from "../../support/fake_models.ts";
import { appOptions, json, openTinyServer } from "../../support/tiny_server.ts";

/** Returns samples by name with labels. */
async function scrape(
  app: ReturnType<typeof createApp>,
): Promise<Map<string, number>> {
  const answer = await app.request("/metrics");
  strictEqual(answer.status, 200);
  match(answer.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  const lines = (await answer.text()).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const [, name, value] = /^(\S+(?: [^}]*})?|.*}) (\S+)$/.exec(line)!;
    return [name!, Number(value)];
  }));
}

const engine: EngineListing = {
  slots: 16,
  slotsInUse: 3,
  waiting: 2,
  running: 1,
  oldestWaitMs: 1500,
  forwards: 77,
  cache: {
    tokens: 4096,
    tokensHeld: 100,
    prefixes: { hits: 5, misses: 6, tokensSaved: 50, evictions: 0 },
  },
  cacheDtype: "float32",
  cacheTokenBytes: 8,
};

Deno.test("/metrics reports the state of each model", async () => {
  const models = () => [
    { ...listing("one", { state: "ready", phases: [] }), engine },
    listing("two", { state: "loading", phases: [], retryAfterSeconds: 2 }),
  ];
  const services = fakeServices(runAtOnce, { models });
  const samples = await scrape(createApp(services, appOptions().options));
  const told = (name: string) => samples.get(`${name}{model="one"}`);
  strictEqual(told("emu3_queue_depth"), 2);
  strictEqual(told("emu3_queue_age_seconds"), 1.5);
  strictEqual(told("emu3_slots_in_use"), 3);
  strictEqual(told("emu3_slots"), 16);
  strictEqual(told("emu3_kv_held_bytes"), 800);
  strictEqual(told("emu3_kv_budget_bytes"), 32_768);
  strictEqual(told("emu3_forwards_total"), 77);
  strictEqual(told("emu3_prefix_cache_hits_total"), 5);
  strictEqual(told("emu3_prefix_cache_misses_total"), 6);
  const state = (model: string, state: string) =>
    samples.get(`emu3_model_state{model="${model}",state="${state}"}`);
  deepStrictEqual(
    [state("one", "ready"), state("one", "loading"), state("two", "loading")],
    [1, 0, 1],
  );
});

Deno.test("/metrics reports the start durations, once they are known", async () => {
  const phase = (name: string, seconds: number | undefined) => ({
    name,
    startedAt: 0,
    seconds,
    transfer: undefined,
  });
  const phases = [phase("weights", 1.5), phase("warm up", undefined)];
  const models = () => [
    listing("one", { state: "loading", phases, retryAfterSeconds: 2 }),
  ];
  const options = () => appOptions().options;
  const before = await scrape(
    createApp(fakeServices(runAtOnce, { models }), options()),
  );
  const of = (phase: string) =>
    before.get(`emu3_start_phase_seconds{model="one",phase="${phase}"}`);
  deepStrictEqual([of("weights"), of("warm up")], [1.5, undefined]);
  strictEqual(before.get("emu3_start_seconds"), undefined);
  const after = await scrape(
    createApp(
      fakeServices(runAtOnce, { models, startSeconds: 2.5 }),
      options(),
    ),
  );
  strictEqual(after.get("emu3_start_seconds"), 2.5);
});

Deno.test("/metrics adds no counter twice", async () => {
  const models = () => [
    { ...listing("one", { state: "ready", phases: [] }), engine },
  ];
  const services = fakeServices(runAtOnce, { models });
  const app = createApp(services, appOptions().options);
  await scrape(app);
  const samples = await scrape(app);
  strictEqual(samples.get('emu3_forwards_total{model="one"}'), 77);
});

Deno.test("/metrics counts requests by route pattern, for any path", async () => {
  const services = fakeServices(runAtOnce);
  const app = createApp(services, appOptions().options);
  for (let i = 0; i < 30; i++) {
    await app.request(`/v1/models/made-up-${i}`);
    await app.request(`/made/up/${i}?secret=${i}`);
    await app.request(`/v1/generate`, { method: `MADEUP${i}` });
  }
  await app.request("/v1/generate", json({ prompt: "a", hieght: 1 }));
  const samples = await scrape(app);
  const counted = [...samples].filter(([name]) =>
    name.startsWith("http_requests_total")
  );
  ok(counted.length < 8, `${counted.length} series`);
  const text = JSON.stringify([...samples.keys()]);
  ok(!/made-up|made\/up|MADEUP|secret/.test(text));
  const [models] = counted.filter(([name]) =>
    name.includes('route="/v1/models/:name{.+}"') &&
    name.includes('status="404"') && name.includes('method="GET"')
  );
  strictEqual(models![1], 30);
  const [refused] = counted.filter(([name]) =>
    name.includes('route="/v1/generate"') && name.includes('status="422"')
  );
  strictEqual(refused![1], 1);
});

Deno.test("/metrics measures completed requests by phase, for every function", async () => {
  await using server = await openTinyServer();
  const { app, trace } = server;
  const size = { height: 16, width: 16 };
  const drawn = await app.request(
    "/v1/generate",
    json({ prompt: "a", ...size }),
  );
  strictEqual(drawn.status, 200);
  const { images } = await drawn.json();
  const { grid, b64_json: image } = images[0];
  const counts = async () => {
    const samples = await scrape(app);
    const count = (phase: string) =>
      samples.get(`emu3_phase_seconds_count{phase="${phase}"}`) ?? 0;
    return ["queue", "prefill", "decode", "vision"].map(count);
  };
  deepStrictEqual(await counts(), [1, 1, 1, 1]);
  await (await app.request("/v1/tokenize", json({ image }))).body?.cancel();
  await (await app.request("/v1/detokenize", json({ grid }))).body?.cancel();
  deepStrictEqual(await counts(), [1, 1, 1, 3]);
  const asked = json({ image, max_tokens: 2 }, { accept: "text/event-stream" });
  await (await app.request("/v1/caption", asked)).text();
  deepStrictEqual(await counts(), [2, 2, 2, 4]);
  const samples = await scrape(app);
  ok(samples.get("emu3_tokens_total")! > 0);
  ok(samples.get('emu3_forwards_total{model="emu3-tiny"}')! > 0);
  ok(samples.get('emu3_kv_held_bytes{model="emu3-tiny"}')! > 0);
  const [line] = trace.access;
  strictEqual(line!.model, "emu3-tiny");
  for (
    const key of ["queue_ms", "prefill_ms", "decode_ms", "vision_ms"] as const
  ) {
    ok(typeof line![key] === "number", key);
  }
  ok(line!.decode_ms! <= line!.duration_ms);
});

Deno.test("/metrics reports the process metrics that Deno supports, without placeholders", async () => {
  const services = fakeServices(runAtOnce);
  const samples = await scrape(createApp(services, appOptions().options));
  ok(samples.get("process_resident_memory_bytes")! > 2 ** 20);
  ok(samples.get("process_cpu_seconds_total")! > 0);
  const odd = [...samples].filter(([, value]) => !Number.isFinite(value));
  deepStrictEqual(odd.filter(([name]) => !name.includes("Inf")), []);
});

Deno.test("/metrics reports the load of the picture codec and the memory for pictures", async () => {
  await using server = await openTinyServer({ codecThreads: 3 });
  const busy = server.services.pixels;
  using _share = await busy.acquire(2 ** 20);
  const samples = await scrape(server.app);
  const told = (name: string) => samples.get(`emu3_${name}`);
  deepStrictEqual(
    ["threads", "running", "waiting"].map((name) => told(`codec_${name}`)),
    [3, 0, 0],
  );
  strictEqual(told('codec_lost_total{reason="late"}'), 0);
  strictEqual(told("pixel_held_bytes"), 2 ** 20);
  strictEqual(told("pixel_budget_bytes"), busy.total);
  strictEqual(told("pixel_waiting"), 0);
});
