// deno-lint-ignore-file no-console -- told to a shell
/**
 * An emulated queue as a process of its own: `serve.ts <port>` prints what a
 * worker's environment is to be, and serves until it is ended.
 *
 * @module
 */

import { serveEmulator } from "./emulator.ts";

const port = Number(Deno.args[0]);
const { environment } = serveEmulator({ port });
for (const [name, value] of Object.entries(environment("pod1"))) {
  console.log(`${name}=${value}`);
}
