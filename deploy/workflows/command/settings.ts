/**
 * The variables of `task workflows`, and the text of its `--help`.
 *
 * @module
 */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { RestatePorts } from "../restate/restate_settings.ts";
import {
  type Lookup,
  portFrom,
  urlFrom,
  WorkflowVariableError,
} from "../variables.ts";

/** A server of the endpoints: one that runs elsewhere, or one to start. */
export type ServerSettings =
  | { readonly type: "running"; readonly url: string }
  | { readonly type: "started"; readonly url: string; readonly port: number };

/** The settings of the command. */
export interface CommandSettings {
  /** Server of the endpoints. */
  readonly server: ServerSettings;
  /** Its API key; undefined for none. */
  readonly apiKey: string | undefined;
  /** Ports of Restate. */
  readonly restate: RestatePorts;
  /** Port of the service of chains. */
  readonly servicePort: number;
  /** Absolute path of the folder of all data. */
  readonly folder: string;
  /** Absolute path of the data of the chain `prepare`; undefined for none. */
  readonly dataFolder: string | undefined;
  /** Path of Restate's server program; undefined for that of npm. */
  readonly restateServer: string | undefined;
}

/** Folder of the data by default, in this clone. */
const FOLDER = fileURLToPath(
  new URL("../../../.cache/workflows", import.meta.url),
);

/** Ports by default, with their variables. */
const PORTS = {
  ingress: ["WORKFLOWS_PORT", 8081],
  admin: ["WORKFLOWS_ADMIN_PORT", 9070],
  node: ["WORKFLOWS_NODE_PORT", 5122],
  service: ["WORKFLOWS_SERVICE_PORT", 9080],
  server: ["PORT", 8080],
} as const satisfies Readonly<Record<string, readonly [string, number]>>;

/** Usage text of the command. */
export const USAGE = `Usage: deno task workflows

Starts the chains: a Restate server (from npm, 216 MB at the first start), the
service of chains, and a server with the embedded model unless EMU3_URL names
one. Ctrl+C stops all of it; the next start continues its chains.

  EMU3_URL                server to call (default: one is started, with the
                          variables of task start, such as MODEL and PORT)
  EMU3_API_KEY            its API key, if it has keys
  WORKFLOWS_PORT          port of Restate's ingress, which starts chains (8081)
  WORKFLOWS_ADMIN_PORT    port of Restate's administration and its pages (9070)
  WORKFLOWS_SERVICE_PORT  port of the service, which Restate calls (9080)
  WORKFLOWS_NODE_PORT     port of Restate's node (5122)
  WORKFLOWS_STATE         folder of all data (default .cache/workflows)
  WORKFLOWS_DATA          folder that the chain prepare reads and writes (none)
  RESTATE_SERVER          path of restate-server (default: that of npm)

Everything listens on 127.0.0.1, but the server with HOST.`;

/**
 * Reads the settings.
 *
 * @throws {WorkflowVariableError} If a value is invalid, or a port named twice.
 */
export function commandSettings(lookup: Lookup): CommandSettings {
  const port = (name: keyof typeof PORTS) => {
    const [variable, fallback] = PORTS[name];
    return portFrom(lookup, variable, fallback);
  };
  const running = urlFrom(lookup, "EMU3_URL");
  const apiKey = lookup("EMU3_API_KEY") || undefined;
  if (running === undefined && lookup("API_KEYS") && apiKey === undefined) {
    throw new WorkflowVariableError(
      "EMU3_API_KEY",
      "the server has API_KEYS; set it to the one that chains use",
    );
  }
  const dataFolder = lookup("WORKFLOWS_DATA");
  const settings = {
    server: running === undefined
      ? startedAt(lookup("HOST"), port("server"))
      : { type: "running" as const, url: running },
    apiKey,
    restate: {
      ingress: port("ingress"),
      admin: port("admin"),
      node: port("node"),
    },
    servicePort: port("service"),
    folder: resolve(lookup("WORKFLOWS_STATE") || FOLDER),
    dataFolder: dataFolder ? resolve(dataFolder) : undefined,
    restateServer: lookup("RESTATE_SERVER") || undefined,
  };
  checkDistinct(settings);
  return settings;
}

/** Returns the ports that the command listens on, with their variables. */
export function portsOf(
  { server, restate, servicePort }: CommandSettings,
): readonly (readonly [string, number])[] {
  return [
    ...server.type === "started"
      ? [[PORTS.server[0], server.port] as const]
      : [],
    [PORTS.ingress[0], restate.ingress],
    [PORTS.admin[0], restate.admin],
    [PORTS.service[0], servicePort],
    [PORTS.node[0], restate.node],
  ];
}

/** Returns a server to start; one for all addresses is reached on loopback. */
function startedAt(host: string | undefined, port: number): ServerSettings {
  const all = !host || /^(0\.0\.0\.0|\[?::\]?|localhost)$/.test(host);
  const address = all ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return { type: "started", url: `http://${address}:${port}`, port };
}

function checkDistinct(settings: CommandSettings): void {
  const names = new Map<number, string>();
  for (const [name, port] of portsOf(settings)) {
    const other = names.get(port);
    if (other !== undefined) {
      throw new WorkflowVariableError(
        name,
        `port ${port} is that of ${other}; set one of them to another port`,
      );
    }
    names.set(port, name);
  }
}
