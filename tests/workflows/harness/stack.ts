/**
 * Restate, the service of chains and a server of the endpoints, in processes of
 * their own, on free ports: each can be killed and started again.
 *
 * @module
 */

import { say } from "../../../deploy/command/run_command.ts";
import { restateBinary } from "../../../deploy/workflows/restate/restate_binary.ts";
import {
  answers,
  RestateAdmin,
} from "../../../deploy/workflows/restate/restate_admin.ts";
import {
  Child,
  type Program,
} from "../../../deploy/workflows/restate/child_process.ts";
import { restateProgram } from "../../../deploy/workflows/restate/restate_program.ts";
import { freePort } from "../../support/free_port.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { stubEvents } from "./stub_process.ts";
import type { StubEvent } from "./stub_server.ts";

/** One of the processes. */
export interface StackProcess {
  /** Address that it listens on. */
  readonly url: string;
  /** Process id of the present process. */
  readonly pid: number;
  /** Lines that it has written. */
  readonly lines: readonly string[];
  /** Ends it by SIGKILL. */
  kill(): Promise<void>;
  /** Ends it by SIGTERM. */
  stop(): Promise<void>;
  /** Starts it after its end, and waits until it serves. */
  start(): Promise<void>;
}

/** All processes. */
export interface Stack extends AsyncDisposable {
  /** Address of Restate's ingress. */
  readonly ingress: string;
  /** Restate's administration. */
  readonly admin: RestateAdmin;
  /** True if Restate cannot reach the host of its release check. */
  readonly isolated: boolean;
  /** Folder of all data. */
  readonly folder: string;
  readonly restate: StackProcess;
  readonly service: StackProcess;
  readonly emu3: StackProcess;
  /** Sends `POST {ingress}/{path}` with a JSON body. */
  post(path: string, body?: unknown): Promise<Response>;
  /** Returns what the emulated server recorded. */
  events(): StubEvent[];
}

/** Options of a stack. */
export interface StackOptions {
  /** True for the real server with the embedded model. */
  readonly mini?: boolean;
  /** Further variables of the server of the endpoints. */
  readonly emu3Env?: Readonly<Record<string, string>>;
  /** Further variables of the service. */
  readonly serviceEnv?: Readonly<Record<string, string>>;
}

const ROOT = new URL("../../../", import.meta.url);
const CONFIG = new URL("deno.json", ROOT).pathname;

/** Starts everything, with the service registered. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { signal } = new AbortController();
  const folder = temporaryFolder();
  const ports = { ingress: freePort(), admin: freePort(), node: freePort() };
  const { program, publicKey, isolated } = await restateProgram({
    file: await restateBinary({
      named: Deno.env.get("RESTATE_SERVER") || undefined,
      build: Deno.build,
      say,
    }),
    folder: `${folder.path}/restate`,
    ports,
  });
  const ingress = `http://127.0.0.1:${ports.ingress}`;
  const adminUrl = `http://127.0.0.1:${ports.admin}`;
  const emu3Port = freePort();
  const emu3Url = `http://127.0.0.1:${emu3Port}`;
  const stubFolder = `${folder.path}/emu3`;
  const servicePort = freePort();
  const serviceUrl = `http://127.0.0.1:${servicePort}`;
  const [restate, service, emu3] = [
    processOf(adminUrl, program),
    processOf(
      serviceUrl,
      denoProgram("service", "deploy/workflows/service_main.ts", {
        url: `${serviceUrl}/health`,
        env: {
          PORT: `${servicePort}`,
          EMU3_URL: emu3Url,
          RESTATE_IDENTITY_KEY: publicKey,
          ...options.serviceEnv,
        },
      }),
    ),
    processOf(
      emu3Url,
      denoProgram(
        "emu3",
        options.mini
          ? "functions/main.ts"
          : "tests/workflows/harness/stub_server.ts",
        {
          url: `${emu3Url}/readyz`,
          env: {
            PORT: `${emu3Port}`,
            STUB_FOLDER: stubFolder,
            STORE: `${folder.path}/jobs.sqlite`,
            ...options.emu3Env,
          },
        },
      ),
    ),
  ] as const;
  const all = [restate, service, emu3];
  const dispose = async () => {
    await Promise.all(all.map((process) => process.kill()));
    folder[Symbol.dispose]();
  };
  const admin = new RestateAdmin(adminUrl);
  try {
    await Promise.all(all.map((process) => process.start()));
    await admin.register(serviceUrl, signal);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    ingress,
    admin,
    isolated,
    folder: folder.path,
    restate,
    service,
    emu3,
    post: (path, body) =>
      fetch(`${ingress}/${path}`, {
        method: "POST",
        ...body !== undefined && {
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        },
      }),
    events: () => stubEvents(stubFolder),
    [Symbol.asyncDispose]: dispose,
  };
}

function denoProgram(
  name: string,
  file: string,
  { url, env }: {
    readonly url: string;
    readonly env: Readonly<Record<string, string>>;
  },
): Program {
  return {
    name,
    file: Deno.execPath(),
    args: [
      ...["run", "-q", "-A", "--no-check", `--config=${CONFIG}`],
      new URL(file, ROOT).pathname,
    ],
    env: { ...env, HOST: "127.0.0.1" },
    clearEnv: false,
    ready: (signal) => answers(url, signal),
    graceMs: 15_000,
  };
}

function processOf(url: string, program: Program): StackProcess {
  const { signal } = new AbortController();
  const lines: string[] = [];
  let child: Child | undefined;
  return {
    url,
    lines,
    get pid() {
      if (child === undefined) throw new Error(`${program.name} does not run`);
      return child.pid;
    },
    kill: async () => {
      child?.kill("SIGKILL");
      await child?.ended();
      child = undefined;
    },
    stop: async () => {
      await child?.stop();
      child = undefined;
    },
    start: async () => {
      child = new Child(
        { ...program, detached: false },
        (line) => lines.push(line),
      );
      await child.ready(signal);
    },
  };
}
