/**
 * The variables of the service of chains and of `task workflows`, parsed. An
 * empty variable counts as unset.
 *
 * @module
 */

import { Emu3Error } from "../../lib/errors.ts";

/** An error for a variable with an invalid value. */
export class WorkflowVariableError extends Emu3Error {
  /** Creates the error from the name, what is wrong, and what to do. */
  constructor(name: string, reason: string) {
    super("bad-variable", `${name} is invalid: ${reason}`);
  }
}

/** A lookup of environment variables. */
export type Lookup = (name: string) => string | undefined;

/** The settings of the service. */
export interface ServiceSettings {
  /** Address of the server of the endpoints. */
  readonly url: string;
  /** Its API key; undefined for none. */
  readonly apiKey: string | undefined;
  /** Address that the service listens on. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** Public keys whose signature requests must have; empty for no check. */
  readonly identityKeys: readonly string[];
  /** Folder of data of the chain `prepare`; undefined for none. */
  readonly dataFolder: string | undefined;
}

/** Lists the variables of the service, for its task and its documentation. */
export const SERVICE_VARIABLES: readonly string[] = [
  "EMU3_URL",
  "EMU3_API_KEY",
  "HOST",
  "PORT",
  "RESTATE_IDENTITY_KEY",
  "WORKFLOWS_DATA",
];

/** Address of a server with its defaults. */
const DEFAULT_URL = "http://127.0.0.1:8080";

/**
 * Reads the settings of the service.
 *
 * @throws {WorkflowVariableError} If a value is invalid.
 */
export function serviceSettings(lookup: Lookup): ServiceSettings {
  return {
    url: urlFrom(lookup, "EMU3_URL") ?? DEFAULT_URL,
    apiKey: lookup("EMU3_API_KEY") || undefined,
    hostname: lookup("HOST") || "127.0.0.1",
    port: portFrom(lookup, "PORT", 9080),
    identityKeys: identityKeysFrom(lookup),
    dataFolder: lookup("WORKFLOWS_DATA") || undefined,
  };
}

/**
 * Returns the port that a variable names.
 *
 * @throws {WorkflowVariableError} If it is no port.
 */
export function portFrom(
  lookup: Lookup,
  name: string,
  fallback: number,
): number {
  const text = lookup(name) || `${fallback}`;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new WorkflowVariableError(name, `expected a port from 1 to 65535`);
}

/**
 * Returns the address that a variable names, without a slash at its end.
 *
 * @throws {WorkflowVariableError} If it is no address of a server.
 */
export function urlFrom(lookup: Lookup, name: string): string | undefined {
  const text = lookup(name);
  if (!text) return undefined;
  const url = URL.parse(text);
  if (
    url !== null && /^https?:$/.test(url.protocol) &&
    url.username + url.password + url.search + url.hash === ""
  ) return url.href.replace(/\/+$/, "");
  throw new WorkflowVariableError(
    name,
    `expected a URL such as ${DEFAULT_URL}, without credentials or a query`,
  );
}

/**
 * Returns the public keys of Restate's requests.
 *
 * @throws {WorkflowVariableError} If one has another form.
 */
function identityKeysFrom(lookup: Lookup): readonly string[] {
  const name = "RESTATE_IDENTITY_KEY";
  const keys = (lookup(name) || "").split(",").map((key) => key.trim())
    .filter((key) => key !== "");
  for (const key of keys) {
    if (/^publickeyv1_[1-9A-HJ-NP-Za-km-z]{40,50}$/.test(key)) continue;
    throw new WorkflowVariableError(
      name,
      `expected the public keys that Restate prints at its start, publickeyv1_…, separated by commas`,
    );
  }
  return keys;
}
