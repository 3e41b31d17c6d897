/**
 * A server in a process of its own.
 *
 * @module
 */
import { freePort } from "./free_port.ts";

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  /** The line that it printed when ready. */
  readonly readyLine: string;
  /** The process. */
  readonly process: Deno.ChildProcess;
}

const MAIN = new URL("../../functions/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** The permissions of `deno task start`, and its limit of the heap. */
function permissions(): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(CONFIG));
  return tasks.start.command.match(/--(?:allow|v8-flags)\S+/g);
}

/** A server that may not be ready yet. */
export interface Spawned {
  /** Where it listens, or will. */
  readonly url: string;
  /** The process. */
  readonly process: Deno.ChildProcess;
  /** The line that it prints when ready; undefined when it ends before. */
  readonly readyLine: Promise<string | undefined>;
  /** Comes when it has printed all. */
  readonly drained: Promise<void>;
}

/**
 * Starts a server; variables as for {@linkcode startServer}.
 *
 * @param complaints Hears what it says on stderr, instead of who runs the test.
 */
export function spawnServer(
  env: Readonly<Record<string, string>> = {},
  complaints?: (text: string) => void,
): Spawned {
  const port = freePort();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", `--config=${CONFIG}`, ...permissions(), MAIN],
    env: { PORT: String(port), STORE: ":memory:", ...env },
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
 * default.
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
        // It ended by itself.
        if (!(error instanceof TypeError)) throw error;
      }
      await process.status;
      await drained;
    },
  };
}

/** Stands after the phases of the start, and jobs that waited for the server. */
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

/** Reads on, so that the server never waits for a full pipe. */
async function drain(
  lines: ReadableStreamDefaultReader<string>,
): Promise<void> {
  while (!(await lines.read()).done);
}
