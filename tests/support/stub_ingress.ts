/**
 * A stand-in for Restate's ingress, with workflows that a test moves on.
 *
 * Its answers are those of Restate 1.7.12: statuses, members and messages.
 *
 * @module
 */

import type { Grid } from "../../deploy/workflows/schema/codes.ts";
import type { ChainStatus } from "../../deploy/workflows/schema/status.ts";

/** End of a workflow: an output, or an error of the workflow. */
export type StubEnd =
  | { readonly output: unknown }
  | { readonly code: number; readonly message: string };

/** A workflow of the stub. */
export interface StubWorkflow {
  /** Input as it was sent. */
  readonly input: unknown;
  /** Status, as the handler returns it; null before the workflow begins. */
  status: Omit<ChainStatus, "chain"> | null;
  /** Codes by name. */
  grids: Record<string, Grid>;
  /** End; undefined for a workflow that runs. */
  end: StubEnd | undefined;
}

/** A stub that listens. */
export interface StubIngress extends AsyncDisposable {
  /** URL of the ingress. */
  readonly url: string;
  /** Requests so far: method and path, and the authorization. */
  readonly requests: { readonly line: string; readonly token: string | null }[];
  /** Workflows by chain and key, `imagine/…`. */
  readonly workflows: Map<string, StubWorkflow>;
  /** Returns the one workflow. */
  readonly only: () => StubWorkflow;
  /** Ends a workflow. */
  readonly finish: (workflow: StubWorkflow, end: StubEnd) => void;
  /** Answers before the stub does; undefined answers pass. */
  fault:
    | ((request: Request) => Response | Promise<Response> | undefined)
    | undefined;
  /** Called with each workflow that starts, and its chain and key. */
  onStart: ((workflow: StubWorkflow, name: string) => void) | undefined;
}

/** Statuses of a workflow that runs and draws. */
export const RUNNING = {
  status: "running",
  steps: [{ name: "draw", status: "running" }],
} as const;

/** Starts a stub on `port`, by default a free one. */
export function openStubIngress(port = 0): StubIngress {
  const waiters = new Map<StubWorkflow, PromiseWithResolvers<void>>();
  const workflows: StubIngress["workflows"] = new Map();
  const requests: StubIngress["requests"] = [];
  const server = Deno.serve({
    port,
    hostname: "127.0.0.1",
    onListen: () => {},
  }, async (request) => {
    const { pathname } = new URL(request.url);
    const token = request.headers.get("authorization");
    requests.push({ line: `${request.method} ${pathname}`, token });
    return await stub.fault?.(request) ?? await answer(request, pathname);
  });
  const answer = async (
    request: Request,
    pathname: string,
  ): Promise<Response> => {
    const parts = pathname.slice(1).split("/");
    const own = parts[0] === "restate";
    const [chain, key, handler] = own ? parts.slice(2) : parts;
    const name = `${chain}/${key}`;
    const found = workflows.get(name);
    if (own) {
      if (found === undefined) {
        return handler === "attach"
          ? fault(404, "not found", "invocation")
          : fault(404, "invocation not found", "ingress");
      }
      if (handler === "attach" && found.end === undefined) {
        await waiters.get(found)!.promise;
      }
      return endAnswer(found);
    }
    const body = await request.json();
    switch (handler) {
      case "run": {
        const status = found === undefined ? "Accepted" : "PreviouslyAccepted";
        if (found === undefined) start(name, body);
        const invocationId = `inv_${key}`;
        return Response.json({ invocationId, status }, { status: 202 });
      }
      case "status":
        return Response.json(found?.status ? { chain, ...found.status } : null);
      case "grids":
        return Response.json(Object.fromEntries(
          Object.entries(found?.grids ?? {}).filter(([name]) =>
            body.includes(name)
          ),
        ));
      case "cancel": {
        if (!found?.status) return Response.json(false);
        if (found.end === undefined) {
          found.status = { ...found.status, status: "canceled" };
          stub.finish(found, { code: 409, message: "Cancelled" });
        }
        return Response.json(true);
      }
    }
    return fault(404, "not found", "ingress");
  };
  const start = (name: string, input: unknown) => {
    const workflow: StubWorkflow = {
      input,
      status: { ...RUNNING, steps: [...RUNNING.steps] },
      grids: {},
      end: undefined,
    };
    workflows.set(name, workflow);
    waiters.set(workflow, Promise.withResolvers());
    stub.onStart?.(workflow, name);
  };
  const stub: StubIngress = {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    workflows,
    only: () => {
      const [workflow, ...others] = workflows.values();
      if (workflow === undefined || others.length > 0) {
        throw new TypeError(`${workflows.size} workflows in place of one`);
      }
      return workflow;
    },
    finish: (workflow, end) => {
      workflow.end = end;
      waiters.get(workflow)!.resolve();
    },
    fault: undefined,
    onStart: undefined,
    [Symbol.asyncDispose]: async () => {
      for (const { resolve } of waiters.values()) resolve();
      await server.shutdown();
    },
  };
  return stub;
}

function endAnswer({ end }: StubWorkflow): Response {
  if (end === undefined) {
    const message = "the invocation exists but has not completed yet";
    return fault(470, message, "ingress");
  }
  if ("output" in end) return Response.json(end.output);
  return fault(end.code, end.message, "invocation");
}

/** Returns an error in the form of Restate. */
export function fault(
  status: number,
  message: string,
  source: "ingress" | "invocation",
): Response {
  return Response.json({ code: status, message, source }, { status });
}
