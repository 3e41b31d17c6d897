// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of a checkpoint of the published size, served as in production:
 * time to ready, memory, step time, and release of memory.
 *
 * ```sh
 * deno run -A tests/bench/full_size.ts MODEL VISION [rows given, 0 when left out]
 * ```
 *
 * Draws a guided picture of 90 × 90 codes whose first rows are given, so that
 * the KV cache fills up in minutes; stops after two rows; draws a small one.
 *
 * @module
 */

import { startServer } from "../support/server.ts";

/** Side of the published pictures, in codes. */
const SIDE = 90;
const PIXELS_PER_CODE = 8;

/** Rows to wait for. */
const ROWS = 2;

const [model, vision, given = "0"] = Deno.args;
if (model === undefined || vision === undefined) {
  console.error("Usage: full_size.ts MODEL VISION [rows given]");
  Deno.exit(2);
}
const started = performance.now();
await using server = await startServer({
  MODEL: model,
  VISION_MODEL: vision,
  FUNCTIONS: "generate",
});
say("ready", { seconds: since(started), ...await memory() });
const rows = Number(given);
await drawRows("a guided picture", SIDE, rows);
say("cancelled", await memory());
await drawRows("a second picture", SIDE, 0);
say("cancelled", await memory());
const small = performance.now();
const response = await post({ height: 32, width: 32 }, "application/json");
const { usage, timings } = await response.json();
say("a picture of 4 × 4 codes", { seconds: since(small), usage, timings });
say("at the end", await memory());

/** Draws until some rows have arrived, then disconnects. */
async function drawRows(
  what: string,
  side: number,
  given: number,
): Promise<void> {
  const leave = new AbortController();
  const codes = Array.from(
    { length: given },
    (_, y) => Array.from({ length: side }, (_, x) => (131 * y + 17 * x) % 8192),
  );
  const begun = performance.now();
  const response = await post(
    {
      height: PIXELS_PER_CODE * side,
      width: PIXELS_PER_CODE * side,
      ...(given > 0 && { prefix: { codes } }),
    },
    "text/event-stream",
    leave.signal,
  );
  let text = "";
  let seen = 0;
  let last = begun;
  for await (
    const part of response.body!.pipeThrough(new TextDecoderStream())
  ) {
    text += part;
    const count = text.split("event: row").length - 1;
    if (count === seen) continue;
    seen = count;
    const now = performance.now();
    say(`${what}: row ${given + seen}`, {
      seconds: (now - begun) / 1000,
      secondsPerCode: (now - last) / 1000 / side,
      ...await memory(),
    });
    last = now;
    if (seen === ROWS) break;
  }
  leave.abort();
  await new Promise((resolve) => setTimeout(resolve, 3000));
}

async function post(
  size: Record<string, unknown>,
  accept: string,
  signal?: AbortSignal,
): Promise<Response> {
  const response = await fetch(`${server.url}/v1/generate`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify({
      prompt: "a lighthouse on a cliff above the sea, at dusk",
      "guidance_scale": 3,
      seed: 1,
      ...size,
    }),
    signal: signal ?? null,
  });
  if (!response.ok) throw new Error(await response.text());
  return response;
}

/** Returns the server's memory in GB: private, and mapped from files. */
async function memory(): Promise<Record<string, number>> {
  const status = await Deno.readTextFile(`/proc/${server.process.pid}/status`);
  const gigabytes = (field: string) => {
    const [, kilobytes] = status.match(new RegExp(`${field}:\\s+(\\d+)`))!;
    return Number((Number(kilobytes) / 1e6).toFixed(2));
  };
  return { own: gigabytes("RssAnon"), mapped: gigabytes("RssFile") };
}

function since(start: number): number {
  return (performance.now() - start) / 1000;
}

function say(what: string, facts: unknown): void {
  console.log(`${what} ${JSON.stringify(facts)}`);
}
