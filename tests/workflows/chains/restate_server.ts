/**
 * A Restate server with a service of chains in this process, for a test.
 *
 * @module
 */

import { say } from "../../../deploy/command/run_command.ts";
import { Child } from "../../../deploy/workflows/restate/child_process.ts";
import { RestateAdmin } from "../../../deploy/workflows/restate/restate_admin.ts";
import { restateBinary } from "../../../deploy/workflows/restate/restate_binary.ts";
import { restateProgram } from "../../../deploy/workflows/restate/restate_program.ts";
import {
  chainService,
  type ServiceOptions,
} from "../../../deploy/workflows/service.ts";
import { freePort } from "../../support/free_port.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

/** A running service of chains behind Restate. */
export interface StartedChains extends AsyncDisposable {
  /** Address of Restate's ingress. */
  readonly ingress: string;
  /** Address of Restate's admin API. */
  readonly admin: string;
  /** Kills Restate, and starts it again: all chains are replayed. */
  readonly restart: () => Promise<void>;
}

/** Returns the options of a service in a test. */
export function serviceOptions(
  options: Partial<ServiceOptions> & { readonly url: string },
): ServiceOptions {
  return {
    ...{ apiKey: undefined, identityKeys: [], dataFolder: undefined },
    log: () => {},
    ...options,
  };
}

/** Starts Restate and the service, and registers it. */
export async function startChains(
  options: Partial<ServiceOptions> & { readonly url: string },
  handler: (request: Request) => Promise<Response> = chainService(
    serviceOptions(options),
  ),
): Promise<StartedChains> {
  const { signal } = new AbortController();
  const folder = temporaryFolder();
  const ports = { ingress: freePort(), admin: freePort(), node: freePort() };
  const { program } = await restateProgram({
    file: await restateBinary({
      named: Deno.env.get("RESTATE_SERVER") || undefined,
      build: Deno.build,
      say,
    }),
    folder: folder.path,
    ports,
  });
  let restate = new Child(program, () => {});
  const stop = new AbortController();
  const service = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {}, signal: stop.signal },
    handler,
  );
  const kill = async () => {
    restate.kill("SIGKILL");
    await restate.ended();
  };
  const started = {
    ingress: `http://127.0.0.1:${ports.ingress}`,
    admin: `http://127.0.0.1:${ports.admin}`,
    restart: async () => {
      await kill();
      restate = new Child(program, () => {});
      await restate.ready(signal);
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      stop.abort();
      await service.finished;
      folder[Symbol.dispose]();
    },
  };
  try {
    await restate.ready(signal);
    const uri = `http://127.0.0.1:${service.addr.port}`;
    await new RestateAdmin(started.admin).register(uri, signal);
  } catch (error) {
    await started[Symbol.asyncDispose]();
    throw error;
  }
  return started;
}
