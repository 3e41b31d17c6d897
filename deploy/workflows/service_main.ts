/**
 * The entry of the service of the chains, for containers and `task workflows`.
 *
 * @module
 */

import { chainService } from "./service.ts";

/** Returns a variable of the environment; undefined if it is unset or empty. */
function variable(name: string): string | undefined {
  return Deno.env.get(name) || undefined;
}

const identityKey = variable("RESTATE_IDENTITY_KEY");
const handler = chainService({
  url: variable("EMU3_URL") ?? "http://127.0.0.1:8080",
  apiKey: variable("EMU3_API_KEY"),
  dataFolder: variable("WORKFLOWS_DATA"),
  identityKeys: identityKey === undefined ? [] : [identityKey],
});
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => stop.abort());
}
const port = Number(variable("PORT") ?? 9080);
const hostname = variable("HOST") ?? "127.0.0.1";
Deno.serve({ port, hostname, signal: stop.signal }, handler);
