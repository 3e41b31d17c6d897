/**
 * The run of `task workflows`: its processes from start to stop.
 *
 * ```text
 * start   Restate, the service and the server at once; then the registration
 * run     a process that ends is started again; one that cannot ends them all
 * stop    Restate, so that no step begins; the service; the server, which keeps
 *         the state of what it draws
 * ```
 *
 * @module
 */

import { join } from "node:path";
import { Emu3Error } from "../../../lib/errors.ts";
import { tryLock } from "../../cache/snapshots/cache_lock.ts";
import type { Program } from "../restate/child_process.ts";
import { KeptProcess } from "../restate/kept_process.ts";
import { answers, RestateAdmin } from "../restate/restate_admin.ts";
import { restateBinary } from "../restate/restate_binary.ts";
import { restateProgram } from "../restate/restate_program.ts";
import { announcement } from "./announcement.ts";
import { serverProgram, serviceProgram } from "./programs.ts";
import { type CommandSettings, portsOf } from "./settings.ts";

/** An error for a port that another program listens on. */
export class PortTakenError extends Emu3Error {
  /** Creates the error from the variable of the port, and the port. */
  constructor(variable: string, port: number) {
    super(
      "port-taken",
      `Cannot start the chains: port ${port} is in use; stop the program there, or set ${variable} to a free port`,
    );
  }
}

/** An error for a folder that another command uses. */
export class StateInUseError extends Emu3Error {
  /** Creates the error from the folder. */
  constructor(folder: string) {
    super(
      "state-in-use",
      `Cannot start the chains: another task workflows uses ${folder}; stop it, or set WORKFLOWS_STATE to another folder`,
    );
  }
}

/** Output of the command. */
export interface CommandOutput {
  /** Writes a line. */
  readonly say: (line: string) => void;
  /** True if it is a terminal. */
  readonly terminal: boolean;
}

/**
 * Runs everything until `stop` aborts.
 *
 * @throws {Emu3Error} If a port or the folder is taken, or if a process does not
 *   start, or ends again and again.
 */
export async function runWorkflows(
  settings: CommandSettings,
  output: CommandOutput,
  stop: AbortSignal,
): Promise<void> {
  const { folder } = settings;
  await Deno.mkdir(folder, { recursive: true });
  using lock = await tryLock(join(folder, "lock"), "exclusive");
  if (lock === undefined) throw new StateInUseError(folder);
  checkPorts(settings);
  const programs = await programsOf(settings, output);
  if (stop.aborted) return;
  const processes: KeptProcess[] = [];
  // At a second Ctrl+C, or an error of this program.
  const killAll = () => processes.forEach((process) => process.kill());
  globalThis.addEventListener("unload", killAll);
  try {
    for (const program of programs) {
      processes.push(start(program, output));
    }
    await Promise.all(processes.map((process) => process.ready(stop)));
    if (!stop.aborted) {
      await register(settings, stop);
      await announce(settings, output, stop);
      await untilStopped(processes, stop);
    }
  } finally {
    output.say("Stopping");
    for (const process of processes) await process.stop();
    globalThis.removeEventListener("unload", killAll);
  }
}

/** Returns all programs, in the order in which they are stopped. */
async function programsOf(
  settings: CommandSettings,
  { say, terminal }: CommandOutput,
): Promise<readonly Program[]> {
  const { restateServer: named, folder, restate: ports, server } = settings;
  const file = await restateBinary({ named, build: Deno.build, say });
  const { program, publicKey, isolated } = await restateProgram({
    file,
    folder,
    ports,
  });
  if (!isolated) {
    say(
      "Restate asks api.github.com for a newer release at its start, which this system does not let it be kept from (deploy/docs/dependencies.md)",
    );
  }
  return [
    program,
    await serviceProgram(settings, publicKey),
    ...server.type === "started"
      ? [await serverProgram(settings, terminal)]
      : [],
  ];
}

function start(program: Program, { say }: CommandOutput): KeptProcess {
  const prefix = program.name.padEnd("service".length);
  return new KeptProcess(program, {
    onLine: (line) => say(`${prefix} | ${line}`),
    say,
    now: () => performance.now(),
  });
}

async function register(
  { restate, servicePort }: CommandSettings,
  stop: AbortSignal,
): Promise<void> {
  const admin = new RestateAdmin(`http://127.0.0.1:${restate.admin}`);
  await admin.register(`http://127.0.0.1:${servicePort}`, stop);
}

async function announce(
  settings: CommandSettings,
  { say }: CommandOutput,
  stop: AbortSignal,
): Promise<void> {
  const { server } = settings;
  say(announcement(settings));
  if (server.type === "started") return;
  if (await answers(`${server.url}/readyz`, stop)) return;
  say(`${server.url} does not answer yet: chains wait for it`);
}

/** Resolves when `stop` aborts; rejects if a process cannot be kept. */
async function untilStopped(
  processes: readonly KeptProcess[],
  stop: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stop.addEventListener("abort", () => resolve());
  if (stop.aborted) resolve();
  await Promise.race([
    promise,
    Promise.all(processes.map((process) => process.keep())),
  ]);
}

/** @throws {PortTakenError} If another program listens on one of the ports. */
function checkPorts(settings: CommandSettings): void {
  for (const [variable, port] of portsOf(settings)) {
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      throw new PortTakenError(variable, port);
    }
  }
}
