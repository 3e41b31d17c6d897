/**
 * The program of a local Restate server: its settings in its folder, its
 * variables, and no way to other machines.
 *
 * Restate asks api.github.com for a newer release at every start, and no setting
 * turns that off. On Linux it is started with a file of hosts of its own, in
 * which that name is this machine, if the system permits a mount namespace.
 *
 * @module
 */

import { join, resolve } from "node:path";
import type { Program } from "./child_process.ts";
import { requestIdentity } from "./request_identity.ts";
import { answers, RestateAdmin } from "./restate_admin.ts";
import { type RestatePorts, restateSettings } from "./restate_settings.ts";

/** Host of the check for a newer release. */
const RELEASES = "api.github.com";

/** File of host names. */
const HOSTS = "/etc/hosts";

/** Script that hides the file of hosts from a program: hosts, then the program. */
const WITH_HOSTS = `mount --bind "$1" ${HOSTS} && shift && exec "$@"`;

/** Options of a local server. */
export interface LocalRestate {
  /** Path of the server program. */
  readonly file: string;
  /** Folder of its data, made if it is not there. */
  readonly folder: string;
  /** Its ports. */
  readonly ports: RestatePorts;
}

/** A program of Restate. */
export interface RestateProgram {
  /** Program to run. */
  readonly program: Program;
  /** Public key of its requests. */
  readonly publicKey: string;
  /** False if the check for a newer release cannot be blocked. */
  readonly isolated: boolean;
}

/** Writes the settings of a server, and returns its program. */
export async function restateProgram(
  options: LocalRestate,
): Promise<RestateProgram> {
  const { file, ports } = options;
  const folder = resolve(options.folder);
  await Deno.mkdir(folder, { recursive: true });
  const settings = join(folder, "restate.toml");
  const { file: identity, publicKey } = await requestIdentity(folder);
  await Deno.writeTextFile(
    settings,
    restateSettings({ folder, identity, ports }),
  );
  const command = [file, "--config-file", settings, "--no-logo"];
  const isolation = await isolationBy(join(folder, "hosts"));
  const admin = new RestateAdmin(`http://127.0.0.1:${ports.admin}`);
  const ingress = `http://127.0.0.1:${ports.ingress}/restate/health`;
  const [program, ...args] = [...isolation, ...command];
  return {
    publicKey,
    isolated: isolation.length > 0,
    program: {
      name: "restate",
      file: program!,
      args,
      // Its variables set its options, and a proxy would have its calls.
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
      clearEnv: true,
      ready: async (signal) =>
        await admin.healthy(signal) && await answers(ingress, signal),
      graceMs: 15_000,
    },
  };
}

/** Returns the words before a command that hide {@linkcode RELEASES} from it. */
async function isolationBy(hosts: string): Promise<readonly string[]> {
  if (Deno.build.os !== "linux") return [];
  const known = await Deno.readTextFile(HOSTS).catch(() => undefined);
  if (known === undefined) return [];
  await Deno.writeTextFile(hosts, `${known}\n127.0.0.1 ${RELEASES}\n`);
  const words = ["-r", "-m", "sh", "-c", WITH_HOSTS, "sh", hosts];
  const trial = new Deno.Command("unshare", { args: [...words, "true"] });
  const permitted = await trial.output().then(
    ({ success }) => success,
    () => false,
  );
  return permitted ? ["unshare", ...words] : [];
}
