/**
 * A cluster of Restate on loopback, from the configuration that `task deploy
 * workflows` renders, with an object store, the service and an emulated server.
 *
 * @module
 */

import { restateBinary } from "../../../deploy/workflows/restate/restate_binary.ts";
import { answers } from "../../../deploy/workflows/restate/restate_admin.ts";
import {
  Child,
  type Program,
} from "../../../deploy/workflows/restate/child_process.ts";
import { RESTATE_VERSION } from "../../../deploy/workflows/restate/restate_binary.ts";
import { identityPublicKey } from "../../../deploy/platforms/workflows/identity_key.ts";
import {
  nodeVariables,
  restateConfig,
} from "../../../deploy/platforms/workflows/restate_config.ts";
import { delay } from "../../../lib/async/delay.ts";
import { freePort } from "../../support/free_port.ts";
import {
  BUCKET,
  openS3Server,
  type S3Server,
} from "../../support/s3_server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { stubEvents } from "../harness/stub_process.ts";
import type { StubEvent } from "../harness/stub_server.ts";

/** Number of nodes. */
const NODES = 3;

/** Folder of the snapshots in the bucket. */
const SNAPSHOTS = "snapshots";

/** A node. */
export interface Node {
  /** Address of its ingress. */
  readonly ingress: string;
  /** Address of its admin API. */
  readonly admin: string;
  /** Address between nodes. */
  readonly address: string;
  /** Process id. */
  readonly pid: number;
  /** Starts it, and waits until other nodes reach it: it need not be provisioned. */
  start(): Promise<void>;
  /** Resolves once its ingress answers. */
  ready(): Promise<void>;
  /** Ends it by SIGKILL. */
  kill(): Promise<void>;
}

/** The cluster, with what it needs. */
export interface Cluster extends AsyncDisposable {
  readonly nodes: readonly [Node, Node, Node];
  readonly store: S3Server;
  /** Folder of the data of the nodes. */
  readonly folder: string;
  /** Address of the service. */
  readonly service: string;
  /** Runs `restatectl`, and returns its output. */
  restatectl(...words: string[]): Promise<string>;
  /** Returns what the emulated server recorded. */
  events(): StubEvent[];
  /** Names of the objects of snapshots. */
  snapshots(): string[];
}

const ROOT = new URL("../../../", import.meta.url);
const CONFIG = new URL("deno.json", ROOT).pathname;

/** Starts everything; nothing is provisioned or registered yet. */
export async function startCluster(drawingMs: number): Promise<Cluster> {
  const folder = temporaryFolder();
  const store = openS3Server();
  const pem = await privateKey();
  const key = `${folder.path}/identity.pem`;
  await Deno.writeTextFile(key, pem);
  const addresses = Array.from({ length: NODES }, address);
  const config = `${folder.path}/restate.toml`;
  await Deno.writeTextFile(
    config,
    restateConfig({
      name: "emu3-workflows",
      addresses,
      identityKey: key,
      replication: 2,
      partitions: 4,
      memoryMib: 512,
      snapshots: `s3://${BUCKET}/${SNAPSHOTS}`,
      snapshotInterval: "2s",
      snapshotRecords: 20,
      storeEndpoint: store.endpoint,
      storeRegion: store.variables["AWS_REGION"],
    }),
  );
  const file = await restateBinary({
    named: Deno.env.get("RESTATE_SERVER") || undefined,
    build: Deno.build,
    say: () => {},
  });
  const nodes = addresses.map((own, index) =>
    nodeOf(file, config, {
      name: `n${index}`,
      address: own,
      folder: `${folder.path}/data`,
      variables: store.variables,
    })
  ) as [Node, Node, Node];
  const emu3 = address();
  const service = address();
  const events = `${folder.path}/emu3`;
  const others = [
    denoChild("tests/workflows/harness/stub_server.ts", emu3, "/readyz", {
      STUB_FOLDER: events,
      STUB_MS: `${drawingMs}`,
    }),
    denoChild("deploy/workflows/service_main.ts", service, "/health", {
      EMU3_URL: emu3,
      RESTATE_IDENTITY_KEY: await identityPublicKey(pem),
    }),
  ];
  await Promise.all(others.map((child) => child.ready(NEVER)));
  return {
    nodes,
    store,
    folder: folder.path,
    service,
    restatectl,
    events: () => stubEvents(events),
    snapshots: () =>
      [...store.objects.keys()].filter((key) => key.startsWith(SNAPSHOTS)),
    [Symbol.asyncDispose]: async () => {
      others.forEach((child) => child.kill("SIGKILL"));
      await Promise.all([
        ...nodes.map((node) => node.kill()),
        ...others.map((child) => child.ended()),
      ]);
      await store[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const { signal: NEVER } = new AbortController();

function address(): string {
  return `http://127.0.0.1:${freePort()}`;
}

/** Returns a private key as `openssl genpkey -algorithm ed25519` writes it. */
async function privateKey(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey(
    "Ed25519",
    true,
    ["sign", "verify"],
  ) as CryptoKeyPair;
  const bytes = await crypto.subtle.exportKey("pkcs8", privateKey);
  const base64 = new Uint8Array(bytes).toBase64();
  return `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
}

function nodeOf(
  file: string,
  config: string,
  { name, address: own, folder, variables }: {
    readonly name: string;
    readonly address: string;
    readonly folder: string;
    readonly variables: Readonly<Record<string, string>>;
  },
): Node {
  const [ingress, admin] = [address(), address()];
  const listen = {
    node: new URL(own).host,
    admin: new URL(admin).host,
    ingress: new URL(ingress).host,
  };
  const program: Program = {
    name,
    file,
    args: ["--no-logo", "--config-file", config],
    env: {
      ...variables,
      ...nodeVariables({ name, address: own, folder, listen }),
    },
    clearEnv: true,
    ready: () => listens(new URL(own)),
    graceMs: 15_000,
  };
  let child: Child | undefined;
  return {
    ingress,
    admin,
    address: own,
    get pid() {
      return child!.pid;
    },
    start: () => {
      child = new Child(program, () => {});
      return child.ready(NEVER);
    },
    ready: async () => {
      while (!await answers(`${ingress}/restate/health`, NEVER)) {
        await delay(50);
      }
    },
    kill: async () => {
      child?.kill("SIGKILL");
      await child?.ended();
    },
  };
}

/** Returns true if a port accepts connections. */
async function listens({ hostname, port }: URL): Promise<boolean> {
  using _ = await Deno.connect({ hostname, port: Number(port) });
  return true;
}

function denoChild(
  file: string,
  own: string,
  health: string,
  env: Readonly<Record<string, string>>,
): Child {
  const { hostname, port } = new URL(own);
  return new Child({
    name: file,
    file: Deno.execPath(),
    args: [
      ...["run", "-q", "-A", "--no-check", `--config=${CONFIG}`],
      new URL(file, ROOT).pathname,
    ],
    env: { ...env, HOST: hostname, PORT: port },
    clearEnv: false,
    ready: (signal) => answers(`${own}${health}`, signal),
    graceMs: 15_000,
  }, () => {});
}

/** Runs the tool of the cluster, which Restate's image holds as well. */
async function restatectl(...words: string[]): Promise<string> {
  const named = Deno.env.get("RESTATECTL");
  const [file, ...before] = named ? [named] : [
    ...["npx", "-y", "-p", `@restatedev/restatectl@${RESTATE_VERSION}`, "--"],
    "restatectl",
  ];
  const { success, stdout, stderr } = await new Deno.Command(file!, {
    args: [...before, ...words],
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes))
    .join("");
  if (success) return text;
  throw new Error(`restatectl ${words.join(" ")}: ${text}`);
}
