/**
 * The runner of programs in the root of an image: as its user, with its
 * variables, with only mounts to write to, as process 1.
 *
 * @module
 */

/** The configuration of an image. */
export interface ImageConfig {
  /** User that runs the entry. */
  readonly User: string;
  /** Working folder. */
  readonly WorkingDir: string;
  /** Variables, as `NAME=value`. */
  readonly Env: readonly string[];
  /** Command of the entry. */
  readonly Entrypoint: readonly string[];
  /** Signal that stops it. */
  readonly StopSignal: string;
  /** Labels by name. */
  readonly Labels: Readonly<Record<string, string>>;
  /** Health check: `CMD`, then its command. */
  readonly Healthcheck: { readonly Test: readonly string[] };
}

/** The options of a run. */
export interface ContainedOptions {
  /** Variables besides those of the image. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folders that are writable. */
  readonly writable?: readonly string[];
  /** User in place of the image's. */
  readonly user?: string;
}

/** Folder of the image's files. */
export const ROOT: string = needed("IMAGE_ROOT");

/** Configuration of the image. */
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

/** Returns the process id of the program itself, on the host. */
export function innerPid({ pid }: Deno.ChildProcess): number {
  const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  return Number(children.trim().split(" ")[0]);
}

function needed(name: string): string {
  const value = Deno.env.get(name);
  if (value !== undefined) return value;
  throw new Error(`Cannot try an image: ${name} is unset, run run.sh`);
}
