/**
 * The emulated server in a process of its own.
 *
 * @module
 */

import { Child } from "../../../deploy/workflows/restate/child_process.ts";
import { answers } from "../../../deploy/workflows/restate/restate_admin.ts";
import { freePort } from "../../support/free_port.ts";
import { writtenRecords } from "../../support/written_records.ts";
import type { StubEvent } from "./stub_server.ts";

/** A running emulated server. */
export interface Stub extends AsyncDisposable {
  /** Address that it listens on. */
  readonly url: string;
  /** Returns what it recorded. */
  events(): StubEvent[];
}

/** Starts an emulated server with its jobs in `folder`. */
export async function startStub(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Stub> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = new Child({
    name: "stub",
    file: Deno.execPath(),
    args: [
      ...["run", "-q", "-A", "--no-check"],
      new URL("stub_server.ts", import.meta.url).pathname,
    ],
    env: { PORT: `${port}`, "STUB_FOLDER": folder, ...env },
    clearEnv: false,
    detached: false,
    ready: (signal) => answers(`${url}/readyz`, signal),
    graceMs: 1000,
  }, () => {});
  await child.ready(new AbortController().signal);
  return {
    url,
    events: () => stubEvents(folder),
    [Symbol.asyncDispose]: () => child.stop(),
  };
}

/** Returns the record of an emulated server with its jobs in `folder`. */
export function stubEvents(folder: string): StubEvent[] {
  return writtenRecords(`${folder}/events.jsonl`);
}
