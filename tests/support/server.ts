/**
 * A server in a process of its own.
 *
 * @module
 */

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  /** The line that it printed when ready. */
  readonly readyLine: string;
  /** The process. */
  readonly process: Deno.ChildProcess;
}

/** What stands after the phases of the start. */
const READY = /^emu3 .* ready at .*(?=\n)/m;

const MAIN = new URL("../../functions/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** The permissions of `deno task start`. */
function permissions(): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(CONFIG));
  return tasks.start.command.match(/--allow-\S+/g);
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
  const port = freePort();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", `--config=${CONFIG}`, ...permissions(), MAIN],
    env: { PORT: String(port), STORE: ":memory:", ...env },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  while (!READY.test(printed)) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`the server ended: ${printed}`);
    printed += value;
  }
  const drained = drain(lines);
  return {
    url: `http://127.0.0.1:${port}`,
    readyLine: READY.exec(printed)![0],
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

/** Reads on, so that the server never waits for a full pipe. */
async function drain(
  lines: ReadableStreamDefaultReader<string>,
): Promise<void> {
  while (!(await lines.read()).done);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
