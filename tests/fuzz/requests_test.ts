// deno-lint-ignore-file camelcase -- names of the wire
/**
 * Fuzz tests of the server: every answer is one that the API documents, and the
 * server is unchanged. `FUZZ_RUNS` sets the runs of each law.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { parseEvents } from "../support/job_events.ts";
import { json, openTinyServer } from "../support/tiny_server.ts";
import { assertAnswered } from "../support/valid_problem.ts";
import {
  anyBlind,
  anyDamagedPicture,
  anyHeaders,
  anyJson,
  anyNpy,
  type AnyRequest,
} from "./any_request.ts";
import { idleEngine } from "../support/idle.ts";
import { settle } from "../support/job_desk.ts";

const numRuns = Number(Deno.env.get("FUZZ_RUNS") ?? 50);
const seed = Number(Deno.env.get("FUZZ_SEED") ?? 1);
const options = { numRuns, seed };

const server = await openTinyServer(
  { limits: { maxBodyBytes: 2 ** 18, maxPixels: 2 ** 14 } },
);
const { engine } = server.services.imageGenerator(undefined).language;
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

/** Fails after an unexpected error, or if work remains. */
async function assertUnharmed(): Promise<void> {
  await idleEngine(engine);
  deepStrictEqual(server.trace.failures, []);
}

async function assertSound({ path, init }: AnyRequest): Promise<void> {
  await assertAnswered(await server.app.request(path, init));
  await assertUnharmed();
}

const kinds: readonly (readonly [string, fc.Arbitrary<AnyRequest>])[] = [
  ["bytes of anything, said to be anything", anyBlind],
  ["fields of any value", anyJson],
  ["damaged files of codes", anyNpy],
  ["damaged pictures", anyDamagedPicture],
  [
    "a good body under any headers",
    anyHeaders.map((headers) => ({
      path: "/v1/generate",
      init: json({ prompt: "a fox", image_area: 256, seed: 1 }, headers),
    })),
  ],
];

for (const [name, anyRequest] of kinds) {
  Deno.test(`Server answers as described for ${name}`, async () => {
    await fc.assert(fc.asyncProperty(anyRequest, assertSound), options);
  });
}

Deno.test("Event stream resumed at any event delivers every event once", async () => {
  const body = { prompt: "a fox", height: 48, width: 48, seed: 5 };
  const init = json(body, { prefer: "respond-async" });
  const { id } = await (await server.app.request("/v1/generate", init)).json();
  const events = async (after?: number) => {
    const headers = after === undefined ? {} : { "last-event-id": `${after}` };
    const path = `/v1/jobs/${id}/events`;
    const response = await server.app.request(path, { headers });
    return parseEvents(await response.text());
  };
  const all = await events();
  deepStrictEqual(all.map(({ id }) => id), [...all.keys()].map((i) => i + 1));
  strictEqual(all.at(-1)!.event, "completed");
  await fc.assert(
    fc.asyncProperty(fc.nat(all.length + 2), async (after) => {
      deepStrictEqual(await events(after), all.slice(after));
    }),
    { ...options, numRuns: Math.min(numRuns, 500) },
  );
});

Deno.test("Disconnecting at any event of a stream stops the model and releases its resources", async () => {
  const anyLeaving = fc.record({
    strategy: fc.constantFrom("autoregressive", "jacobi", "zipar"),
    guidance: fc.constantFrom(1, 3),
    n: fc.constantFrom(1, 2),
    events: fc.nat(8),
  });
  await fc.assert(
    fc.asyncProperty(
      anyLeaving,
      async ({ strategy, guidance, n, events }) => {
        const leave = new AbortController();
        const fields = {
          prompt: "a fox",
          height: 64,
          width: 64,
          strategy,
          guidance_scale: guidance,
          n,
        };
        const init = json(fields, { accept: "text/event-stream" });
        const response = await server.app.request("/v1/generate", {
          ...init,
          signal: leave.signal,
        });
        const reader = response.body!.getReader();
        for (let i = 0; i < events; i++) {
          if ((await reader.read()).done) break;
        }
        leave.abort();
        await reader.cancel();
        await assertUnharmed();
      },
    ),
    options,
  );
});

Deno.test("Job canceled at any moment ends once, as canceled or completed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(6), fc.boolean(), async (turns, guided) => {
      const fields = {
        prompt: "a fox",
        height: 64,
        width: 64,
        guidance_scale: guided ? 3 : 1,
      };
      const init = json(fields, { prefer: "respond-async" });
      const submitted = await server.app.request("/v1/generate", init);
      const { id } = await submitted.json();
      for (let i = 0; i < turns; i++) await settle();
      const path = `/v1/jobs/${id}`;
      const first = await server.app.request(path, { method: "DELETE" });
      const { status } = await first.json();
      ok(["canceled", "succeeded"].includes(status), status);
      const again = await server.app.request(path, { method: "DELETE" });
      strictEqual((await again.json()).status, status);
      const events = await server.app.request(`${path}/events`);
      const names = parseEvents(await events.text()).map(({ event }) => event);
      const ends = names.filter((name) =>
        ["completed", "canceled", "error", "interrupted"].includes(name)
      );
      strictEqual(ends.length, 1, `${names}`);
      await assertUnharmed();
    }),
    options,
  );
  strictEqual(server.jobs.runner.size, 0);
});
