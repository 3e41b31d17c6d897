/**
 * Programs in the root of an image: as its user, with its variables, with
 * nothing to write to but what is mounted, as process 1.
 *
 * @module
 */

/** What an image says of itself. */
export interface ImageConfig {
  /** Who runs. */
  readonly User: string;
  /** Where. */
  readonly WorkingDir: string;
  /** `NAME=value`. */
  readonly Env: readonly string[];
  /** What runs. */
  readonly Entrypoint: readonly string[];
  /** How it is stopped. */
  readonly StopSignal: string;
  /** By name. */
  readonly Labels: Readonly<Record<string, string>>;
  /** `CMD`, then what to run. */
  readonly Healthcheck: { readonly Test: readonly string[] };
}

/** How to run. */
export interface ContainedOptions {
  /** Beside those of the image. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folders that may be written to. */
  readonly writable?: readonly string[];
  /** Instead of the image's. */
  readonly user?: string;
}

/** The folder that the image's files are in. */
export const ROOT: string = needed("IMAGE_ROOT");

/** What the image says of itself. */
export const CONFIG: ImageConfig =
  JSON.parse(Deno.readTextFileSync(needed("IMAGE_JSON"))).Docker.config;

const ENTER = new URL("./enter.sh", import.meta.url).pathname;

/** Starts `command`. */
export function contained(
  command: readonly string[],
  options: ContainedOptions = {},
): Deno.ChildProcess {
  const { env = {}, writable = ["/tmp", "/cache"], user = CONFIG.User } =
    options;
  const variables = [
    "PATH=/usr/local/bin:/usr/bin:/bin",
    ...CONFIG.Env,
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
  ];
  return new Deno.Command("unshare", {
    args: [
      ...["--mount", "--pid", "--fork", "--kill-child", "sh", ENTER],
      ...[ROOT, user, writable.join(",")],
      ...["/usr/bin/env", "-i", "-C", CONFIG.WorkingDir, ...variables],
      ...command,
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The program itself, as this system numbers it. */
export function innerPid({ pid }: Deno.ChildProcess): number {
  const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  return Number(children.trim().split(" ")[0]);
}

function needed(name: string): string {
  const value = Deno.env.get(name);
  if (value !== undefined) return value;
  throw new Error(`Cannot try an image: ${name} is unset, run run.sh`);
}
