/**
 * A process that reads a URL twice by range requests, with its own trusted
 * roots.
 *
 * Argument: the URL. Prints the SHA-256 of each answer, or the error.
 *
 * @module
 */

import { RangeConnections } from "../../deploy/cache/net/range_connections.ts";
import { sha256Of } from "./hub_server.ts";

const say = (line: string) =>
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

using connections = new RangeConnections(new Map());
try {
  for (let i = 0; i < 2; i++) {
    const answer = await connections.fetch(new URL(Deno.args[0]!), {
      headers: { Range: "bytes=0-9" },
      redirect: "manual",
    });
    say(sha256Of(await answer.bytes()));
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
}
