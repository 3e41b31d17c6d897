/**
 * The container of the service, on every platform: variables, sizes and the
 * command of the registration.
 *
 * @module
 */

import { type ClusterOptions, SERVICE_PORT } from "./cluster_options.ts";

/** Memory of a replica: a heap of 256 MiB, and Deno. */
export const SERVICE_MEMORY_MIB = 512;

/** Folder of the data of the chain `prepare`. */
export const DATA_FOLDER = "/data";

/** Memory of the registration. */
export const REGISTRATION_MEMORY_MIB = 256;

/** Seconds until a stopped replica is killed; its steps go on in another. */
export const SERVICE_GRACE_S = 15;

/** Permissions of Deno that its cached programs need. */
const FLAGS = [
  ...["run", "--quiet", "--no-prompt", "--cached-only", "--no-lock"],
  "--node-modules-dir=manual",
] as const;

/** The command of the registration; its arguments follow. */
export const REGISTER: readonly string[] = [
  ...["deno", ...FLAGS, "--allow-net", "--allow-env=INIT_CWD"],
  "deploy/workflows/cluster/register_main.ts",
];

/** Returns variables of the service, without secrets. */
export function serviceVariables(
  { emu3Url, data }: Pick<ClusterOptions, "emu3Url" | "data">,
): Record<string, string> {
  return {
    EMU3_URL: emu3Url.replace(/\/$/, ""),
    HOST: "0.0.0.0",
    PORT: String(SERVICE_PORT),
    ...data !== undefined && { WORKFLOWS_DATA: DATA_FOLDER },
  };
}
