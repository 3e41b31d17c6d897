/**
 * The programs beside Restate: the service of chains and the server, by their
 * tasks in deno.json.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Program } from "../restate/child_process.ts";
import { answers } from "../restate/restate_admin.ts";
import type { CommandSettings } from "./settings.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Milliseconds for the server to end: its own grace, and its models. */
const SERVER_GRACE_MS = 30_000;

/** Returns the program of the service. */
export async function serviceProgram(
  { server, apiKey, servicePort, dataFolder }: CommandSettings,
  publicKey: string,
): Promise<Program> {
  const health = `http://127.0.0.1:${servicePort}/health`;
  const task = await taskProgram("workflows:service", {
    "EMU3_URL": server.url,
    "EMU3_API_KEY": apiKey ?? "",
    HOST: "127.0.0.1",
    PORT: `${servicePort}`,
    "RESTATE_IDENTITY_KEY": publicKey,
  });
  return {
    ...task,
    args: withinFolder(task.args, dataFolder),
    name: "service",
    ready: (signal) => answers(health, signal),
    graceMs: 5_000,
  };
}

/**
 * Returns arguments whose permissions of files are narrowed to `folder`, and to
 * this clone for reading, which has codecs; without a folder to nothing.
 */
function withinFolder(
  args: readonly string[],
  folder: string | undefined,
): readonly string[] {
  const escaped = folder?.replaceAll(",", ",,");
  return args.flatMap((word) => {
    if (word !== "--allow-read" && word !== "--allow-write") return [word];
    if (escaped === undefined) return [];
    const clone = word === "--allow-read"
      ? `,${ROOT.replaceAll(",", ",,")}`
      : "";
    return [`${word}=${escaped}${clone}`];
  });
}

/** Returns the program of a server with this command's variables. */
export async function serverProgram(
  { restate, folder }: CommandSettings,
  terminal: boolean,
): Promise<Program> {
  return {
    ...await taskProgram("start", {
      "WORKFLOWS_URL": `http://127.0.0.1:${restate.ingress}`,
      // Jobs of chains are resumed from it after a restart.
      STORE: Deno.env.get("STORE") || join(folder, "jobs.sqlite"),
      LOG: Deno.env.get("LOG") || (terminal ? "pretty" : "json"),
    }),
    name: "server",
    // Its log would have every question for its readiness.
    ready: /^emu3 \S+ ready at /,
    graceMs: SERVER_GRACE_MS,
  };
}

/**
 * Returns the program of a task: its variables, permissions and file, without
 * the shell of `deno task`, so that signals reach it.
 */
async function taskProgram(
  task: string,
  variables: Readonly<Record<string, string>>,
): Promise<Pick<Program, "file" | "args" | "env" | "clearEnv">> {
  const config = join(ROOT, "deno.json");
  const { tasks } = JSON.parse(await Deno.readTextFile(config));
  const words: string[] = tasks[task].command.split(" ");
  const at = words.indexOf("deno");
  const [, run, ...args] = words.slice(at);
  const env = Object.fromEntries(
    words.slice(0, at).map((word) => word.split("=") as [string, string]),
  );
  return {
    file: Deno.execPath(),
    args: [
      run!,
      `--config=${config}`,
      "--no-prompt",
      ...args.map((word) => word.endsWith(".ts") ? join(ROOT, word) : word),
    ],
    env: { ...env, ...variables },
    clearEnv: false,
  };
}
