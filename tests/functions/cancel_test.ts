/** The clients that leave, over real sockets and through the real engine. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { json, openTinyServer } from "../support/tiny_server.ts";
import { listen } from "../support/tiny_http.ts";
import { idleEngine } from "../support/idle.ts";
import { atChoice } from "../support/at_choice.ts";
import { until } from "../support/until.ts";

const server = await openTinyServer();
const http = await listen(server.app);
const url = `${http.url}/v1/generate`;
const { engine } = server.services.imageGenerator(undefined).language;
globalThis.addEventListener("unload", async () => {
  await http[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** The request of some thousand steps: longer than any test. */
const long = { prompt: "a fox", height: 512, width: 512, seed: 1 };
const short = { prompt: "a fox", height: 32, width: 32, seed: 1 };

/** Reads a stream up to its first row. */
async function firstRow(response: Response): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";
  while (!text.includes("event: row")) {
    const { value, done } = await reader.read();
    ok(!done, text);
    text += value;
  }
  reader.releaseLock();
}

Deno.test({
  name: "Engine cancels the run of a stream whose connection closes",
  // The closed connection belongs to the pool.
  sanitizeResources: false,
  fn: async () => {
    const leave = new AbortController();
    const response = await fetch(url, {
      ...json(long, { accept: "text/event-stream" }),
      signal: leave.signal,
    });
    await firstRow(response);
    strictEqual(engine.state.running, 1);
    leave.abort();
    await idleEngine(engine);
    deepStrictEqual(server.trace.failures, []);
  },
});

Deno.test("Engine cancels the run of a call whose connection closes", async () => {
  const leave = new AbortController();
  const answer = fetch(url, { ...json(long), signal: leave.signal })
    .catch((error) => error);
  await until(() => engine.state.running > 0);
  leave.abort();
  await answer;
  await idleEngine(engine);
  deepStrictEqual(server.trace.failures, []);
});

Deno.test("Engine returns the same answer when another client leaves", async () => {
  const draw = async () => {
    const response = await fetch(url, json(short));
    return (await response.json()).images;
  };
  const alone = await draw();
  const leave = new AbortController();
  const gone = fetch(url, { ...json(long), signal: leave.signal })
    .catch((error) => error);
  await until(() => engine.state.running > 0);
  // Amid the short picture of 16 codes.
  const left = atChoice(engine, 8, () => leave.abort());
  const beside = draw();
  await left;
  deepStrictEqual(await beside, alone);
  await gone;
  await idleEngine(engine);
});

Deno.test("Engine removes a canceled request from its queue", async () => {
  const leave = new AbortController();
  const init = { ...json(long), signal: leave.signal };
  // Two rows each on four slots, of which one is left to answers: two wait.
  const calls = [0, 1, 2].map(() => fetch(url, init).catch((error) => error));
  await until(() => engine.state.running >= 1 && engine.state.waiting >= 2);
  leave.abort();
  await Promise.all(calls);
  await idleEngine(engine);
});
