/**
 * The `/v1/workflows` routes: they forward chains to the workflow engine.
 *
 * ```text
 * POST   /v1/workflows/{chain}         starts a workflow, and waits as preferred
 * GET    /v1/workflows/{chain}/{id}    its steps and output; codes and pictures
 * DELETE /v1/workflows/{chain}/{id}    cancels it
 * ```
 *
 * A workflow is visible to its caller only: others get 404.
 *
 * @module
 */

import { toJsonSchema } from "@valibot/to-json-schema";
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import {
  type ChainInfo,
  CHAINS,
} from "../../deploy/workflows/schema/chains.ts";
import { negotiate } from "../http/accept.ts";
import type { AppEnv } from "../http/context.ts";
import { NotFoundError } from "../http/errors/errors.ts";
import {
  UnknownWorkflowError,
  WorkflowCanceledError,
  WorkflowsUnavailableError,
} from "../http/errors/workflow_errors.ts";
import { partsResponse } from "../jobs/job_responses.ts";
import { asyncPreference } from "../jobs/prefer.ts";
import type { Drain } from "../middleware/drain.ts";
import { hold } from "../middleware/unsent.ts";
import type { Tokenizers } from "../models/ports.ts";
import {
  cancelDescription,
  chainsDescription,
  startDescription,
  workflowDescription,
} from "./workflow_description.ts";
import { bodySchema, readChainInput } from "./chain_input.ts";
import { indexPage } from "./index_page.ts";
import { type IngressOptions, WorkflowIngress } from "./ingress.ts";
import { waitForEnd } from "./wait.ts";
import {
  type CallerWorkflow,
  namedWorkflow,
  newWorkflow,
} from "./workflow_key.ts";
import { gridResponse } from "./workflow_pictures.ts";
import {
  readEndView,
  readView,
  startedView,
  viewParts,
  workflowPath,
  type WorkflowView,
} from "./workflow_view.ts";

/** Time that a cancellation is waited for, in milliseconds. */
const CANCEL_MS = 5000;

/** Types of a workflow, the default first. */
const VIEW_TYPES = ["application/json", "text/html"] as const;

/** Returns the routes, ready to mount. */
export function workflowRoutes(
  options: IngressOptions,
  tokenizers: Tokenizers,
  drain: Drain,
): Hono<AppEnv> {
  const ingress = new WorkflowIngress(options);
  const chains = listChains();
  const app = new Hono<AppEnv>().get(
    "/v1/workflows",
    chainsDescription,
    (c) => c.json({ object: "list", data: chains }),
  );
  for (const [chain, info] of Object.entries<ChainInfo>(CHAINS)) {
    app.post(
      `/v1/workflows/${chain}`,
      startDescription(chain, info, bodySchema(info)),
      async (c) => {
        const input = await readChainInput(c, tokenizers, info);
        return await started(c, ingress, { chain, input, drain });
      },
    );
  }
  return app
    .get("/v1/workflows/:chain/:id", workflowDescription, async (c) => {
      const workflow = namedWorkflow(c);
      const name = c.req.query("grid") ?? "";
      if (name !== "") {
        const named = { workflow, name };
        return await gridResponse(c, ingress, tokenizers, named);
      }
      const type = negotiate(c.req.header("accept"), VIEW_TYPES);
      c.header("vary", "accept");
      const view = await readView(c, ingress, workflow);
      return type === "text/html"
        ? indexPage(c, ingress, tokenizers, { workflow, view })
        : viewResponse(c, view, 200);
    })
    .delete("/v1/workflows/:chain/:id", cancelDescription, async (c) => {
      const workflow = namedWorkflow(c);
      await cancel(c, ingress, workflow);
      return viewResponse(c, await readView(c, ingress, workflow), 200);
    });
}

/** Returns the routes of a server without a workflow engine. */
export function noWorkflows(): Hono<AppEnv> {
  const refuse = () => {
    throw new NotFoundError(
      "Cannot serve this route: no workflows are configured; set WORKFLOWS_URL to the ingress of Restate and restart the server",
    );
  };
  return new Hono<AppEnv>()
    // No chains, as a list: the page asks every server.
    .get(
      "/v1/workflows",
      chainsDescription,
      (c) => c.json({ object: "list", data: [] }),
    )
    .all("/v1/workflows", refuse)
    .all("/v1/workflows/*", refuse);
}

/** Returns the list of chains with the JSON Schemas of their bodies. */
function listChains() {
  return Object.entries<ChainInfo>(CHAINS).map(([chain, info]) => {
    const { $schema: _, ...input } = toJsonSchema(bodySchema(info), {
      typeMode: "input",
    });
    return { chain, description: info.description, input };
  });
}

/** A chain to start. */
interface Start {
  readonly chain: string;
  readonly input: unknown;
  readonly drain: Drain;
}

async function started(
  c: Context<AppEnv>,
  ingress: WorkflowIngress,
  { chain, input, drain }: Start,
): Promise<Response> {
  const preferred = asyncPreference(c.req.header("prefer"));
  const workflow = newWorkflow(c, chain);
  const fresh = await ingress.start(workflow, input, c.get("call").signal);
  // Its steps are requests of their own, which must find free slots.
  c.get("releaseSlot")?.();
  c.header("location", workflowPath(workflow));
  if (preferred !== undefined) {
    c.header("preference-applied", preferred.applied);
  }
  if (preferred?.waitSeconds === 0) {
    const view = fresh
      ? startedView(workflow)
      : await readView(c, ingress, workflow);
    return viewResponse(c, view, 202);
  }
  const limitMs = preferred && 1000 * preferred.waitSeconds;
  const end = await waitForEnd(c, ingress, workflow, { limitMs, drain });
  return end === undefined
    ? viewResponse(c, startedView(workflow), 202)
    : endResponse(c, await readEndView(c, ingress, workflow, end));
}

/** Answers with the output, or the problem, of a workflow that has ended. */
function endResponse(c: Context<AppEnv>, view: WorkflowView): Response {
  const { status, problem } = view.fields;
  if (status === "canceled") throw new WorkflowCanceledError();
  if (problem === undefined) return viewResponse(c, view, 200);
  // The view limits it to those of errors.
  return c.json(problem, problem.status as ContentfulStatusCode, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  });
}

function viewResponse(
  c: Context<AppEnv>,
  view: WorkflowView,
  status: 200 | 202,
): Response {
  const release = hold(c, view.output?.length ?? 0);
  return partsResponse(c, viewParts(view), { status, release });
}

/**
 * Cancels a workflow, and waits shortly for its end.
 *
 * @throws {UnknownWorkflowError} If there is none of this id.
 */
async function cancel(
  c: Context<AppEnv>,
  ingress: WorkflowIngress,
  workflow: CallerWorkflow,
): Promise<void> {
  const { signal } = c.get("call");
  if (await ingress.cancel(workflow, signal)) {
    await ingress.attach(workflow, { signal, timeoutMs: CANCEL_MS });
    return;
  }
  const { type } = await ingress.end(workflow, signal);
  if (type === "unknown") throw new UnknownWorkflowError();
  if (type !== "running") return;
  throw new WorkflowsUnavailableError("the workflow has not begun yet; retry");
}
