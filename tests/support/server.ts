/**
 * The server in a process of its own.
 *
 * @module
 */
import { freePort } from "./free_port.ts";

/** A running server. */
export interface Server extends AsyncDisposable {
  /** URL that it listens on. */
  readonly url: string;
  /** Line that it printed when ready. */
  readonly readyLine: string;
  /** Process of the server. */
  readonly process: Deno.ChildProcess;
}

const MAIN = new URL("../../functions/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Returns the permissions and the heap limit of `deno task start`. */
function permissions(): string[] {
  return startCommand().match(/--(?:allow|v8-flags)\S+/g)!;
}

/** Returns the settings of the C library in `deno task start`. */
function heapSettings(): Record<string, string> {
  const settings = startCommand().matchAll(/\b(MALLOC_\w+)=(\S+)/g);
  return Object.fromEntries(
    [...settings].map(([, name, value]) => [name, value]),
  );
}

function startCommand(): string {
  const { tasks } = JSON.parse(Deno.readTextFileSync(CONFIG));
  return tasks.start.command;
}

/** A server that may not be ready yet. */
export interface Spawned {
  /** URL that it listens on, or will. */
  readonly url: string;
  /** Process of the server. */
  readonly process: Deno.ChildProcess;
  /** Line that it prints when ready; undefined if it ends before. */
  readonly readyLine: Promise<string | undefined>;
  /** Resolves when its output has ended. */
  readonly drained: Promise<void>;
}

/**
 * Starts a server; variables are those of {@linkcode startServer}.
 *
 * @param complaints Called with its stderr, which is inherited by default.
 */
export function spawnServer(
  env: Readonly<Record<string, string>> = {},
  complaints?: (text: string) => void,
): Spawned {
  const port = env["PORT"] ?? freePort();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", `--config=${CONFIG}`, ...permissions(), MAIN],
    env: { ...heapSettings(), PORT: String(port), STORE: ":memory:", ...env },
    stdout: "piped",
    stderr: complaints === undefined ? "inherit" : "piped",
  }).spawn();
  if (complaints !== undefined) {
    void process.stderr.pipeThrough(new TextDecoderStream())
      .pipeTo(new WritableStream({ write: complaints }));
  }
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const readyLine = findReadyLine(lines);
  return {
    url: `http://127.0.0.1:${port}`,
    process,
    readyLine,
    drained: readyLine.then(() => drain(lines)),
  };
}

/**
 * Starts a server and waits until it is ready.
 *
 * @param env Variables beside those of this process; the port is free by
 *   default.
 */
export async function startServer(
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const { url, process, readyLine, drained } = spawnServer(env);
  const printed = await readyLine;
  if (printed === undefined) throw new Error("the server ended");
  return {
    url,
    readyLine: printed,
    process,
    [Symbol.asyncDispose]: async () => {
      try {
        process.kill("SIGTERM");
      } catch (error) {
        // The process ended by itself.
        if (!(error instanceof TypeError)) throw error;
      }
      await process.status;
      await drained;
    },
  };
}

/** Pattern of the ready line, which follows load phases and resumed jobs. */
const READY = /^emu3 \S+ ready .*(?=\n)/m;

async function findReadyLine(
  lines: ReadableStreamDefaultReader<string>,
): Promise<string | undefined> {
  let printed = "";
  for (;;) {
    const [line] = READY.exec(printed) ?? [];
    if (line !== undefined) return line;
    const { value, done } = await lines.read();
    if (done) return undefined;
    printed += value;
  }
}

/** Reads to the end, so that the server never blocks on a full pipe. */
async function drain(
  lines: ReadableStreamDefaultReader<string>,
): Promise<void> {
  while (!(await lines.read()).done);
}
