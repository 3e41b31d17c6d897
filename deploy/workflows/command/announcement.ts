/**
 * The announcement of `task workflows`: where everything is, and a first call.
 *
 * @module
 */

import { CHAINS } from "../schema/chains.ts";
import type { CommandSettings } from "./settings.ts";

/** Returns its lines. */
export function announcement(settings: CommandSettings): string {
  const { server, restate, folder } = settings;
  const ingress = `http://127.0.0.1:${restate.ingress}`;
  const page = server.type === "started"
    ? `${server.url}/, its view Chains`
    : `${server.url}/, once that server has WORKFLOWS_URL=${ingress}`;
  return [
    `Chains ready: ${Object.keys(CHAINS).join(", ")}`,
    `  page     ${page}`,
    `  call     ${firstCall(settings, ingress)}`,
    `  ingress  ${ingress}`,
    `  Restate  http://127.0.0.1:${restate.admin}/ui/`,
    `  data     ${folder}`,
    "Ctrl+C stops all of it; the next start continues its chains.",
  ].join("\n");
}

/** Returns a command that runs a chain. */
function firstCall(
  { server, apiKey }: CommandSettings,
  ingress: string,
): string {
  const json = `-H 'content-type: application/json'`;
  const body = `-d '{"prompt": "three apples"}'`;
  if (server.type === "running") {
    return `curl ${json} ${body} ${ingress}/imagine/first/run`;
  }
  const key = apiKey === undefined
    ? ""
    : ` -H "authorization: Bearer $EMU3_API_KEY"`;
  return `curl ${json}${key} ${body} ${server.url}/v1/workflows/imagine`;
}
