/**
 * The entry of the service of chains, for containers and `task workflows`.
 *
 * `GET /health` answers without a signature; everything else is Restate's.
 *
 * @module
 */

import { delay } from "../../lib/async/delay.ts";
import { writeAll } from "../command/run_command.ts";
import { CHAINS } from "./schema/chains.ts";
import { chainService } from "./service.ts";
import { serviceLog } from "./service_log.ts";
import { serviceSettings, WorkflowVariableError } from "./variables.ts";

/** Exit codes of a failed start and of a wrong variable. */
const FAILED = 1;
const MISUSED = 2;

/**
 * Milliseconds that short requests get to end at a shutdown. Chains do not end
 * by then: they go on in the next process.
 */
const GRACE_MS = 1000;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  try {
    const settings = serviceSettings((name) => Deno.env.get(name));
    const log = serviceLog(complain, Date.now);
    const server = Deno.serve({
      port: settings.port,
      hostname: settings.hostname,
      onListen: ({ hostname, port }) =>
        say(
          `chains ready at http://${hostname}:${port}: ${
            Object.keys(CHAINS).join(", ")
          }`,
        ),
    }, chainService({ ...settings, log }));
    await new Promise((resolve) =>
      stop.signal.addEventListener("abort", resolve)
    );
    await Promise.race([server.shutdown(), delay(GRACE_MS)]);
    Deno.exit(0);
  } catch (error) {
    if (error instanceof WorkflowVariableError) leave(error.message, MISUSED);
    if (error instanceof Deno.errors.AddrInUse) {
      leave(
        `Cannot listen: ${error.message}; set PORT to a free port`,
        FAILED,
      );
    }
    throw error;
  }
}

function leave(message: string, code: number): never {
  complain(message);
  Deno.exit(code);
}

function say(line: string): void {
  writeAll(Deno.stdout, `${line}\n`);
}

function complain(line: string): void {
  writeAll(Deno.stderr, `${line}\n`);
}
