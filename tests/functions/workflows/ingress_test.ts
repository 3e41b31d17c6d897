/** The laws of the workflow engine's faults: each has a remedy. */

import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { WorkflowIngress } from "../../../functions/workflows/ingress.ts";
import { WorkflowsUnavailableError } from "../../../functions/http/errors/workflow_errors.ts";
import { freePort } from "../../support/free_port.ts";
import { fault } from "../../support/stub_ingress.ts";
import { json } from "../../support/tiny_server.ts";
import {
  describedWorkflows,
  IMAGINED,
  openWorkflowApp,
} from "../../support/workflow_app.ts";

const { check } = await describedWorkflows();

const IMAGINE = "/v1/workflows/imagine";
const ASYNC = { prefer: "respond-async" };
const PATH = `${IMAGINE}/${"0".repeat(32)}`;

/** Answers of an engine that is wrong, and the details of their problems. */
const FAULTS: readonly (readonly [string, () => Response, RegExp])[] = [
  [
    "no service",
    () => fault(404, "service 'imagine' not found, make sure …", "ingress"),
    /no service imagine; register/,
  ],
  [
    "a refused token",
    () => new Response("", { status: 401 }),
    /WORKFLOWS_TOKEN/,
  ],
  [
    "a proxy's refusal",
    () => new Response("", { status: 403 }),
    /WORKFLOWS_TOKEN/,
  ],
  [
    "a failure",
    () => fault(500, "secret", "ingress"),
    /answered 500; see its log/,
  ],
  ["no JSON", () => new Response("<html>"), /another form/],
  ["other JSON", () => Response.json({ status: "odd" }), /another form/],
];

for (const [name, answer, detail] of FAULTS) {
  Deno.test(`${name} of the engine is a problem that can be retried`, async () => {
    await using server = openWorkflowApp();
    server.ingress.fault = ({ url }) =>
      // Of a known workflow, 404 of its end is no fault.
      url.endsWith("/output") ? fault(470, "", "ingress") : answer();
    const calls = [
      ["POST", IMAGINE, json({ prompt: "a" }, ASYNC)],
      ["GET", PATH, {}],
      ["GET", `${PATH}?grid=draw`, {}],
      ["DELETE", PATH, { method: "DELETE" }],
    ] as const;
    for (const [method, path, init] of calls) {
      const response = await server.app.request(path, init);
      strictEqual(response.status, 503, `${method} ${path}`);
      strictEqual(response.headers.get("retry-after"), "5");
      const problem = await response.clone().json();
      match(problem.type, /workflows-unavailable$/);
      match(problem.detail, detail);
      ok(problem.retryable);
      ok(!JSON.stringify(problem).includes("secret"));
      await check(method, path, response);
    }
  });
}

Deno.test("an input that the engine finds too large is refused", async () => {
  await using server = openWorkflowApp();
  server.ingress.fault = () => new Response("", { status: 413 });
  const answer = await server.app.request(IMAGINE, json({ prompt: "a" }));
  strictEqual(answer.status, 413);
  match((await answer.json()).detail, /larger than the workflow engine/);
});

Deno.test("an engine that does not run is a problem, and names the variable", async () => {
  const workflows = {
    url: `http://127.0.0.1:${freePort()}`,
    token: undefined,
    pauseMs: 1,
  };
  await using server = openWorkflowApp({ workflows });
  const answer = await server.app.request(IMAGINE, json({ prompt: "a" }));
  strictEqual(answer.status, 503);
  match((await answer.json()).detail, /WORKFLOWS_URL/);
});

Deno.test("an engine that does not answer is a problem", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await using server = openWorkflowApp();
  server.ingress.fault = () => promise;
  const { url } = server.ingress;
  const slow = new WorkflowIngress({ url, token: undefined, timeoutMs: 20 });
  const name = { chain: "imagine", key: "k" };
  const { signal } = new AbortController();
  await rejects(
    slow.status(name, signal),
    (error) =>
      error instanceof WorkflowsUnavailableError &&
      /did not answer in 0.02 s/.test(error.message),
  );
  const end = await slow.attach(name, { signal, timeoutMs: 20 });
  strictEqual(end.type, "running");
  resolve(new Response());
});

Deno.test("a request that its client ends is not repeated", async () => {
  await using server = openWorkflowApp();
  const leaving = new AbortController();
  server.ingress.fault = () => {
    leaving.abort(new TypeError("left"));
    return new Response();
  };
  const { url } = server.ingress;
  const ingress = new WorkflowIngress({ url, token: undefined });
  await rejects(
    ingress.status({ chain: "imagine", key: "k" }, leaving.signal),
    /left/,
  );
  strictEqual(server.ingress.requests.length, 1);
});

Deno.test("the token is sent with every request", async () => {
  await using server = openWorkflowApp();
  const { url } = server.ingress;
  const ingress = new WorkflowIngress({ url, token: "secret" });
  const { signal } = new AbortController();
  const name = { chain: "imagine", key: "k" };
  await ingress.start(name, { prompt: "a" }, signal);
  await ingress.end(name, signal);
  for (const { token } of server.ingress.requests) {
    strictEqual(token, "Bearer secret");
  }
});

Deno.test("a wait goes on when the engine starts again", async () => {
  await using server = openWorkflowApp();
  let faults = 1;
  server.ingress.fault = ({ url }) => {
    if (!url.endsWith("/attach") || faults-- <= 0) return undefined;
    server.ingress.finish(server.ingress.only(), { output: IMAGINED });
    return new Response("", { status: 502 });
  };
  const answer = await server.app.request(IMAGINE, json({ prompt: "a" }));
  strictEqual((await answer.json()).status, "succeeded");
});

Deno.test("an output is answered though the steps cannot be read", async () => {
  await using server = openWorkflowApp();
  const { ingress } = server;
  ingress.onStart = (workflow) =>
    ingress.finish(workflow, { output: IMAGINED });
  ingress.fault = ({ url }) =>
    url.endsWith("/status") ? new Response("", { status: 500 }) : undefined;
  const answer = await server.app.request(IMAGINE, json({ prompt: "a" }));
  strictEqual(answer.status, 200);
  const { output, steps } = await answer.json();
  strictEqual(output.caption, IMAGINED.caption);
  strictEqual(steps.length, 0);
});
