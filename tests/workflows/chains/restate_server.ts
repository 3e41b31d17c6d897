/**
 * A Restate server and a service of chains for a test, on free ports, with state
 * in a folder of its own.
 *
 * @module
 */

import {
  chainService,
  type ServiceOptions,
} from "../../../deploy/workflows/service.ts";

/** The Restate server as npm has it. */
const PACKAGE = "@restatedev/restate-server-linux-x64@1.7.12";

/** A running service of chains behind Restate. */
export interface StartedChains extends AsyncDisposable {
  /** Address of Restate's ingress. */
  readonly ingress: string;
  /** Address of Restate's admin API. */
  readonly admin: string;
}

/** Starts Restate and the service, and registers it. */
export async function startChains(
  options: Partial<ServiceOptions> & { readonly url: string },
): Promise<StartedChains> {
  const folder = await Deno.makeTempDir({ prefix: "restate-" });
  const [ingress, admin, node] = freePorts(3);
  const config = `${folder}/restate.toml`;
  await Deno.writeTextFile(
    config,
    [
      'roles = ["metadata-server", "admin", "log-server", "worker", "http-ingress"]',
      `base-dir = "${folder}/data"`,
      `bind-address = "127.0.0.1:${node}"`,
      'rocksdb-total-memory-size = "128.0 MiB"',
      "default-num-partitions = 4",
      "disable-telemetry = true",
      "auto-provision = true",
      "[admin]",
      `bind-address = "127.0.0.1:${admin}"`,
      "[ingress]",
      `bind-address = "127.0.0.1:${ingress}"`,
    ].join("\n"),
  );
  const restate = new Deno.Command(await restateBinary(), {
    args: ["--config-file", config],
    env: { RESTATE_LISTEN_MODE: "tcp", RUST_LOG: "warn" },
    stdout: "null",
    stderr: "null",
  }).spawn();
  const stop = new AbortController();
  const service = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {}, signal: stop.signal },
    chainService({ apiKey: undefined, identityKeys: [], ...options }),
  );
  const started = {
    ingress: `http://127.0.0.1:${ingress}`,
    admin: `http://127.0.0.1:${admin}`,
    [Symbol.asyncDispose]: async () => {
      restate.kill("SIGKILL");
      await restate.status;
      stop.abort();
      await service.finished;
      await Deno.remove(folder, { recursive: true });
    },
  };
  try {
    await reached(`${started.admin}/health`);
    await reached(`${started.ingress}/restate/health`);
    const uri = `http://127.0.0.1:${service.addr.port}`;
    const registered = await fetch(`${started.admin}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri, force: true }),
    });
    const text = await registered.text();
    if (!registered.ok) throw new Error(`the registration failed: ${text}`);
  } catch (error) {
    await started[Symbol.asyncDispose]();
    throw error;
  }
  return started;
}

/** Returns the path of the server's binary: RESTATE_SERVER, or from npm. */
async function restateBinary(): Promise<string> {
  const path = Deno.env.get("RESTATE_SERVER");
  if (path) return path;
  const { success, stdout } = await new Deno.Command("npx", {
    args: ["-y", "-p", PACKAGE, "sh", "-c", "command -v restate-server"],
    stdout: "piped",
  }).output();
  const found = new TextDecoder().decode(stdout).trim();
  if (success && found !== "") return found;
  throw new Error("npx has no restate-server: set RESTATE_SERVER to its path");
}

/** Returns ports that were free a moment ago. */
function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ port: 0, hostname: "127.0.0.1" }),
  );
  return listeners.map((listener) => {
    listener.close();
    return (listener.addr as Deno.NetAddr).port;
  });
}

/** Waits until an address answers. */
async function reached(url: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    try {
      const response = await fetch(url);
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // It is not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer within a minute`);
}
