/**
 * The program of Restate's server: a named one, or that of its npm package.
 *
 * The package is no dependency: its 216 MB are fetched by `npx` at the first
 * start of chains, and stay in npm's cache.
 *
 * @module
 */

import { join } from "node:path";
import { Emu3Error } from "../../../lib/errors.ts";

/** Version of Restate's server that chains are tested with. */
export const RESTATE_VERSION = "1.7.12";

/** Platforms that Restate publishes its server for, by those of Deno. */
const PLATFORMS: Readonly<Record<string, string>> = {
  "linux x86_64": "linux-x64",
  "linux aarch64": "linux-arm64",
  "darwin x86_64": "darwin-x64",
  "darwin aarch64": "darwin-arm64",
};

/** Size of the program, for display. */
const DOWNLOAD = "216 MB";

/** An error for a server program that is not there. */
export class RestateBinaryError extends Emu3Error {
  /** Creates the error from the fault and its remedy. */
  constructor(reason: string, options?: ErrorOptions) {
    super("no-restate", `Cannot start Restate: ${reason}`, options);
  }
}

/** Places and outputs of a search. */
export interface BinaryOptions {
  /** Path that `RESTATE_SERVER` names; undefined for the npm package. */
  readonly named: string | undefined;
  /** System and processor, as in `Deno.build`. */
  readonly build: { readonly os: string; readonly arch: string };
  /** Folders of programs, as in `PATH`; by default those of this process. */
  readonly path?: string;
  /** Reports a download before it begins. */
  readonly say: (line: string) => void;
}

/**
 * Returns the path of the server program, fetched if it is not there.
 *
 * @throws {RestateBinaryError} If there is none for this platform, or npm fails.
 */
export async function restateBinary(options: BinaryOptions): Promise<string> {
  const { named, build, say } = options;
  if (named !== undefined) return await namedBinary(named);
  const platform = PLATFORMS[`${build.os} ${build.arch}`];
  if (platform === undefined) {
    throw new RestateBinaryError(
      `there is no build of its server for ${build.os} on ${build.arch}; run task workflows on Linux or macOS, or set EMU3_URL there to a server here`,
    );
  }
  const name = `@restatedev/restate-server-${platform}`;
  const cached = await findInNpm(name, { ...options, offline: true });
  if (cached.path !== undefined) return cached.path;
  say(`Fetching Restate ${RESTATE_VERSION} from npm: ${DOWNLOAD}, once`);
  const fetched = await findInNpm(name, { ...options, offline: false });
  if (fetched.path !== undefined) return fetched.path;
  throw new RestateBinaryError(
    `npm did not bring ${name}@${RESTATE_VERSION}: ${fetched.message}; connect this machine, or set RESTATE_SERVER to the path of restate-server ${RESTATE_VERSION}`,
  );
}

async function namedBinary(path: string): Promise<string> {
  const file = await Deno.stat(path).catch(() => undefined);
  if (file?.isFile) return await Deno.realPath(path);
  throw new RestateBinaryError(
    `RESTATE_SERVER "${path}" is no file; set it to the path of restate-server, or unset it`,
  );
}

/** Result of a search in npm's cache or registry. */
interface Found {
  readonly path?: string;
  readonly message: string;
}

/**
 * Finds a package by the `PATH` of a command of `npx`: the package has no
 * command of its own, its folder is beside those of commands.
 */
async function findInNpm(
  name: string,
  { path, offline }: {
    readonly path?: string;
    readonly offline: boolean;
  },
): Promise<Found> {
  const args = ["-y", "-p", `${name}@${RESTATE_VERSION}`];
  const { success, stdout, stderr } = await npx(
    [...args, "sh", "-c", 'echo "$PATH"'],
    {
      "npm_config_offline": String(offline),
      "npm_config_update_notifier": "false",
      ...path !== undefined && { PATH: path },
    },
  );
  const text = new TextDecoder();
  const folders = text.decode(stdout).trim().split(":");
  for (const folder of success ? folders : []) {
    const file = join(folder, "..", name, "bin", "restate-server");
    if (await Deno.stat(file).then(() => true, () => false)) {
      return { path: file, message: "" };
    }
  }
  const [line = "it is not in its folder"] = text.decode(stderr).trim()
    .split("\n").slice(-1);
  return { message: line };
}

async function npx(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command("npx", { args: [...args], env }).output();
  } catch (cause) {
    throw new RestateBinaryError(
      `npx was not found; install Node.js, or set RESTATE_SERVER to the path of restate-server ${RESTATE_VERSION}`,
      { cause },
    );
  }
}
