/**
 * An application that forwards workflows to a stub of the engine.
 *
 * @module
 */

import type { Hono } from "hono";
import {
  type AppOptions,
  type AppServices,
  createApp,
} from "../../functions/app.ts";
import type { AppEnv } from "../../functions/http/context.ts";
import { type Described, describedBy } from "./described.ts";
import { fakeServices, runAtOnce } from "./fake_models.ts";
import { openStubIngress, type StubIngress } from "./stub_ingress.ts";
import { appOptions, type Trace } from "./tiny_server.ts";

/** The application under test. */
export interface WorkflowApp extends AsyncDisposable {
  /** Routes. */
  readonly app: Hono<AppEnv>;
  /** Stub of the engine. */
  readonly ingress: StubIngress;
  /** Logs. */
  readonly trace: Trace;
}

/** Creates the application on fake models. */
export function openWorkflowApp(
  changes: Partial<AppOptions> = {},
  services: Partial<AppServices> = {},
): WorkflowApp {
  const ingress = openStubIngress();
  const { options, trace } = appOptions({
    workflows: { url: ingress.url, token: undefined, pauseMs: 1 },
    ...changes,
  });
  return {
    app: createApp(fakeServices(runAtOnce, services), options),
    ingress,
    trace,
    [Symbol.asyncDispose]: () => ingress[Symbol.asyncDispose](),
  };
}

/** An output of the chain `imagine`. */
export const IMAGINED = {
  picture: { seed: 3, grid: { height: 1, width: 2, codes: [[1, 2]] } },
  caption: "a dot",
  agreement: { named: ["dot"], missing: [], logprob: -2.5 },
};

/** Steps of the chain `imagine` that has ended. */
export const STEPS = [
  { name: "draw", status: "succeeded", seconds: 1, grid: "draw" },
  { name: "caption", status: "succeeded", seconds: 1, text: "a dot" },
] as const;

/** Returns the description of the routes, which all applications share. */
export async function describedWorkflows(): Promise<Described> {
  const workflows = { url: "http://127.0.0.1:9", token: undefined };
  const { options } = appOptions({ workflows });
  return await describedBy(createApp(fakeServices(runAtOnce), options));
}
