// deno-lint-ignore-file no-console -- output for a shell
/**
 * A process that serves an emulated queue: `serve.ts <port>` prints the
 * environment of a worker and serves until it is terminated.
 *
 * @module
 */

import { serveEmulator } from "./emulator.ts";

const port = Number(Deno.args[0]);
const { environment } = serveEmulator({ port });
for (const [name, value] of Object.entries(environment("pod1"))) {
  console.log(`${name}=${value}`);
}
