/** The laws of `/v1/workflows`: start, status, output and cancellation. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createApp } from "../../../functions/app.ts";
import { apiKeys } from "../../../functions/middleware/api_keys.ts";
import { Drain } from "../../../functions/middleware/drain.ts";
import type { Json } from "../../support/described.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { appOptions, json } from "../../support/tiny_server.ts";
import {
  describedWorkflows,
  IMAGINED,
  openWorkflowApp,
  STEPS,
  type WorkflowApp,
} from "../../support/workflow_app.ts";

const { check } = await describedWorkflows();

const IMAGINE = "/v1/workflows/imagine";
const ASYNC = { prefer: "respond-async" };

/** Lets the stub end each workflow as soon as it starts. */
function endsAtOnce({ ingress }: WorkflowApp): void {
  ingress.onStart = (workflow) => {
    workflow.status = { status: "succeeded", steps: [...STEPS] };
    ingress.finish(workflow, { output: IMAGINED });
  };
}

async function startAsync({ app }: WorkflowApp, body: Json = { prompt: "a" }) {
  const answer = await app.request(IMAGINE, json(body, ASYNC));
  strictEqual(answer.status, 202);
  return answer.headers.get("location")!;
}

Deno.test("a server without WORKFLOWS_URL names the variable", async () => {
  const app = createApp(fakeServices(runAtOnce), appOptions().options);
  for (const path of ["/v1/workflows", IMAGINE, `${IMAGINE}/1`]) {
    const answer = await app.request(path, { method: "POST" });
    strictEqual(answer.status, 404);
    match((await answer.json()).detail, /set WORKFLOWS_URL/);
  }
});

Deno.test("a server without WORKFLOWS_URL lists no chains", async () => {
  const app = createApp(fakeServices(runAtOnce), appOptions().options);
  const answer = await app.request("/v1/workflows");
  deepStrictEqual(await answer.json(), { object: "list", data: [] });
});

Deno.test("GET /v1/workflows lists the chains with the schemas of their bodies", async () => {
  await using server = openWorkflowApp();
  const answer = await server.app.request("/v1/workflows");
  const { data } = await answer.clone().json();
  const imagine = data.find(({ chain }: Json) => chain === "imagine");
  match(imagine.description, /^Draws/);
  strictEqual(imagine.input.properties.prompt.type, "string");
  await check("GET", "/v1/workflows", answer);
});

Deno.test("POST waits for the output of a workflow", async () => {
  await using server = openWorkflowApp();
  endsAtOnce(server);
  const answer = await server.app.request(IMAGINE, json({ prompt: "a dot" }));
  strictEqual(answer.status, 200);
  const { id, ...rest } = await answer.clone().json();
  deepStrictEqual(rest, {
    object: "workflow",
    chain: "imagine",
    status: "succeeded",
    steps: STEPS,
    output: IMAGINED,
  });
  strictEqual(answer.headers.get("location"), `${IMAGINE}/${id}`);
  deepStrictEqual(server.ingress.only().input, { prompt: "a dot" });
  await check("POST", IMAGINE, answer);
});

Deno.test("POST with respond-async answers at once, and GET shows the progress", async () => {
  await using server = openWorkflowApp();
  const { app, ingress } = server;
  const answer = await app.request(IMAGINE, json({ prompt: "a" }, ASYNC));
  strictEqual(answer.status, 202);
  strictEqual(answer.headers.get("preference-applied"), "respond-async");
  const path = answer.headers.get("location")!;
  await check("POST", IMAGINE, answer);
  const running = await app.request(path);
  const { status, steps } = await running.clone().json();
  deepStrictEqual([status, steps.length], ["running", 1]);
  await check("GET", path, running);
  const workflow = ingress.only();
  workflow.status = {
    status: "succeeded",
    steps: [...STEPS],
    progress: { done: 2, failed: 0, total: 2 },
  };
  ingress.finish(workflow, { output: IMAGINED });
  const ended = await app.request(path);
  const { output, progress } = await ended.clone().json();
  deepStrictEqual([output, progress.total], [IMAGINED, 2]);
  await check("GET", path, ended);
});

Deno.test("POST with wait answers 202 once the time is over", async () => {
  await using server = openWorkflowApp();
  const body = json({ prompt: "a" }, { prefer: "wait=1" });
  const answer = await server.app.request(IMAGINE, body);
  strictEqual(answer.status, 202);
  strictEqual(answer.headers.get("preference-applied"), "wait=1");
  strictEqual((await answer.json()).status, "running");
});

Deno.test("POST answers 202 when the time of requests is over, or the server stops", async () => {
  const drain = new Drain();
  for (const changes of [{ requestTimeoutMs: 300 }, { drain }]) {
    await using server = openWorkflowApp(changes);
    const { promise, resolve } = Promise.withResolvers<void>();
    server.ingress.onStart = () => resolve();
    const answered = server.app.request(IMAGINE, json({ prompt: "a" }));
    await promise;
    while ("drain" in changes && drain.works.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const work of drain.works) work.interrupt();
    const answer = await answered;
    strictEqual(answer.status, 202);
    match(
      answer.headers.get("location")!,
      /^\/v1\/workflows\/imagine\/\w{32}$/,
    );
  }
});

Deno.test("a client that leaves does not cancel its workflow", async () => {
  await using server = openWorkflowApp();
  const { ingress, app } = server;
  const leaving = new AbortController();
  ingress.fault = (request) => {
    if (request.url.endsWith("/attach")) leaving.abort();
    return undefined;
  };
  const request = { ...json({ prompt: "a" }), signal: leaving.signal };
  await app.request(IMAGINE, request);
  strictEqual(ingress.only().end, undefined);
  ok(!ingress.requests.some(({ line }) => line.endsWith("/cancel")));
});

Deno.test("a problem of the chain is answered with its status", async () => {
  await using server = openWorkflowApp();
  const { app, ingress } = server;
  const own = {
    type: "/problems/prompt-too-long",
    title: "Prompt or image too long",
    status: 422,
    detail: "Cannot fit the prompt",
    instance: "/v1/generate",
    "request_id": "of-the-step",
    retryable: false,
    step: "draw",
    error: {
      message: "Cannot fit the prompt",
      type: "invalid_request_error",
      code: "prompt-too-long",
      param: null,
    },
  };
  ingress.onStart = (workflow) => {
    workflow.status = { status: "failed", steps: [], problem: own };
    const message = "draw: Cannot fit the prompt";
    ingress.finish(workflow, { code: 422, message });
  };
  const answer = await app.request(IMAGINE, json({ prompt: "a" }));
  strictEqual(answer.status, 422);
  strictEqual(
    answer.headers.get("content-type"),
    "application/problem+json",
  );
  deepStrictEqual(await answer.clone().json(), own);
  await check("POST", IMAGINE, answer);
  const path = answer.headers.get("location")!;
  const shown = await app.request(path);
  const { status, problem } = await shown.clone().json();
  deepStrictEqual([shown.status, status, problem], [200, "failed", own]);
  await check("GET", path, shown);
});

Deno.test("a failure without a document becomes a problem with its message", async () => {
  await using server = openWorkflowApp();
  const { app, ingress } = server;
  const lost = "Cannot finish workflow: lost";
  const ends = [
    { problem: { status: 500, detail: "draw: lost" }, detail: "draw: lost" },
    // Not a problem document of this server.
    { problem: { status: 500, errors: "many" }, detail: lost },
    { problem: undefined, detail: lost },
  ];
  for (const { problem, detail } of ends) {
    ingress.onStart = (workflow) => {
      workflow.status = {
        status: "failed",
        steps: [],
        ...problem && { problem },
      };
      ingress.finish(workflow, { code: 502, message: "lost" });
    };
    const answer = await app.request(IMAGINE, json({ prompt: "a" }));
    strictEqual(answer.status, 502);
    const document = await answer.clone().json();
    deepStrictEqual(
      [document.type, document.status, document.detail],
      ["/problems/workflow-failed", 502, detail],
    );
    await check("POST", IMAGINE, answer);
  }
});

Deno.test("DELETE cancels a workflow, and a waiting POST answers 409", async () => {
  await using server = openWorkflowApp();
  const { app, ingress } = server;
  const { promise, resolve } = Promise.withResolvers<void>();
  ingress.fault = (request) => {
    if (request.url.endsWith("/attach")) resolve();
    return undefined;
  };
  const key = { "idempotency-key": "one" };
  const waiting = app.request(IMAGINE, json({ prompt: "a" }, key));
  await promise;
  const other = await app.request(
    IMAGINE,
    json({ prompt: "a" }, { ...key, ...ASYNC }),
  );
  const path = other.headers.get("location")!;
  const deleted = await app.request(path, { method: "DELETE" });
  strictEqual((await deleted.clone().json()).status, "canceled");
  await check("DELETE", path, deleted);
  const answer = await waiting;
  strictEqual(answer.status, 409);
  match((await answer.clone().json()).type, /workflow-canceled$/);
  await check("POST", IMAGINE, answer);
});

Deno.test("DELETE leaves an ended workflow as it is", async () => {
  await using server = openWorkflowApp();
  endsAtOnce(server);
  const path = await startAsync(server);
  const answer = await server.app.request(path, { method: "DELETE" });
  strictEqual((await answer.json()).status, "succeeded");
});

Deno.test("DELETE of a workflow that has not begun is to be repeated", async () => {
  await using server = openWorkflowApp();
  const path = await startAsync(server);
  server.ingress.only().status = null;
  const answer = await server.app.request(path, { method: "DELETE" });
  strictEqual(answer.status, 503);
  match((await answer.json()).detail, /has not begun/);
  server.ingress.finish(server.ingress.only(), { output: IMAGINED });
  const ended = await server.app.request(path, { method: "DELETE" });
  strictEqual((await ended.json()).status, "succeeded");
});

Deno.test("an Idempotency-Key names one workflow of a caller, at any server", async () => {
  await using server = openWorkflowApp({ apiKeys: apiKeys("mine,other") });
  const { ingress } = server;
  const workflows = { url: ingress.url, token: undefined };
  const { options } = appOptions({ workflows, apiKeys: apiKeys("mine,other") });
  const second = createApp(fakeServices(runAtOnce), options);
  const places: (string | null)[] = [];
  const calls = [[server.app, "mine"], [second, "mine"], [
    second,
    "other",
  ]] as const;
  for (const [app, key] of calls) {
    const headers = {
      ...ASYNC,
      "idempotency-key": '"one"',
      authorization: `Bearer ${key}`,
    };
    const answer = await app.request(IMAGINE, json({ prompt: "a" }, headers));
    strictEqual(answer.status, 202);
    places.push(answer.headers.get("location"));
  }
  strictEqual(places[0], places[1]);
  strictEqual(new Set(places).size, 2);
  strictEqual(ingress.workflows.size, 2);
});

Deno.test("workflows of other callers, and unknown ones, are 404", async () => {
  await using server = openWorkflowApp({ apiKeys: apiKeys("mine,other") });
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  const started = await server.app.request(
    IMAGINE,
    json({ prompt: "a" }, { ...ASYNC, ...as("mine") }),
  );
  const path = started.headers.get("location")!;
  const paths = [
    path,
    `${IMAGINE}/${"0".repeat(32)}`,
    `${IMAGINE}/x`,
    path.replace("imagine", "toString"),
  ];
  for (const method of ["GET", "DELETE"]) {
    for (const path of paths) {
      const init = { method, headers: as("other") };
      const answer = await server.app.request(path, init);
      strictEqual(answer.status, 404, path);
      if (path === paths[0]) await check(method, path, answer);
    }
  }
  const own = await server.app.request(path, { headers: as("mine") });
  strictEqual(own.status, 200);
});

Deno.test("a waiting request leaves its slot to the steps of its workflow", async () => {
  await using server = openWorkflowApp({ maxRequests: 2 });
  const { app, ingress } = server;
  let attached = Promise.withResolvers<void>();
  ingress.fault = (request) => {
    if (request.url.endsWith("/attach")) attached.resolve();
    return undefined;
  };
  const answers: (Response | Promise<Response>)[] = [];
  for (let i = 0; i < 8; i++) {
    attached = Promise.withResolvers();
    answers.push(app.request(IMAGINE, json({ prompt: "a" })));
    await attached.promise;
  }
  const call = await app.request("/v1/tokenize", json({ text: "a" }));
  strictEqual(call.status, 200);
  for (const workflow of ingress.workflows.values()) {
    ingress.finish(workflow, { output: IMAGINED });
  }
  for (const answer of answers) strictEqual((await answer).status, 200);
});
