/**
 * The crowd: many chains at once at one server with a short queue, and a caller
 * with a key of its own beside them.
 *
 * The server is the real one with a tiny model, so that hundreds of pictures
 * take a minute.
 *
 * @module
 */

import { delay } from "../../../lib/async/delay.ts";
import { JobClient } from "../../support/job_client.ts";
import { TINY_FOLDERS } from "../../support/tiny_server.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { Ingress } from "./ingress.ts";
import { RequestCounter } from "./request_counter.ts";

/** A stack whose requests to the model server are counted. */
export interface CrowdStack extends AsyncDisposable {
  /** Processes. */
  readonly stack: Stack;
  /** Counter between service and server. */
  readonly counter: RequestCounter;
}

/** A picture of the caller beside the crowd. */
export interface Single {
  /** Milliseconds until its answer. */
  readonly ms: number;
  /** Pictures of the crowd that ended meanwhile. */
  readonly passed: number;
}

/** The result of a crowd. */
export interface CrowdResult {
  /** Chains that succeeded. */
  readonly succeeded: number;
  /** Seconds from the first start to the last end. */
  readonly seconds: number;
  /** Pictures of the caller beside them. */
  readonly singles: readonly Single[];
}

const CROWD_KEY = "crowd-key";
const SINGLE_KEY = "single-key";

const SIZE = { height: 64, width: 64 };

/** Pause between pictures of the caller beside the crowd. */
const PAUSE_MS = 300;

/** Starts a server with a queue of 32 for one caller, and its counter. */
export async function startCrowdStack(): Promise<CrowdStack> {
  let target = "";
  const counter = new RequestCounter(() => target);
  const stack = await startStack({
    mini: true,
    emu3Env: {
      MODEL: TINY_FOLDERS.gen,
      THREADS: "1",
      QUEUE_LIMIT: "32",
      API_KEYS: `${CROWD_KEY},${SINGLE_KEY}`,
    },
    serviceEnv: { EMU3_URL: counter.url, EMU3_API_KEY: CROWD_KEY },
  });
  target = stack.emu3.url;
  return {
    stack,
    counter,
    [Symbol.asyncDispose]: async () => {
      await stack[Symbol.asyncDispose]();
      await counter[Symbol.asyncDispose]();
    },
  };
}

/** Runs `count` chains `imagine` at once. */
export async function runCrowd(
  { stack }: CrowdStack,
  count: number,
): Promise<CrowdResult> {
  const ingress = new Ingress(stack.ingress);
  const began = performance.now();
  const ids = Array.from({ length: count }, (_, i) => ({
    chain: "imagine",
    key: `crowd-${i}`,
  }));
  for (const [seed, id] of ids.entries()) {
    await ingress.start(id, { prompt: `${seed} apples`, seed, ...SIZE });
  }
  let ended = false;
  const singles: Single[] = [];
  const beside = (async () => {
    while (!ended) {
      singles.push(await drawSingle(stack.emu3.url));
      await delay(PAUSE_MS);
    }
  })();
  let succeeded = 0;
  for (const id of ids) {
    if ((await ingress.end(id)).type === "output") succeeded++;
  }
  const seconds = (performance.now() - began) / 1000;
  ended = true;
  await beside;
  return { succeeded, seconds, singles };
}

/** Draws a picture with the other key. */
export async function drawSingle(url: string): Promise<Single> {
  const crowd = new JobClient((path) =>
    fetch(`${url}${path}`, {
      headers: { authorization: `Bearer ${CROWD_KEY}` },
    })
  );
  const before = await endedJobs(crowd);
  const began = performance.now();
  const response = await fetch(`${url}/v1/generate`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${SINGLE_KEY}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ prompt: "a fox", seed: 1, ...SIZE }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  const ms = performance.now() - began;
  const after = await endedJobs(crowd);
  const passed = [...after].filter((id) => !before.has(id)).length;
  return { ms, passed };
}

/** Returns the ended jobs among the latest ones. */
async function endedJobs(client: JobClient): Promise<Set<string>> {
  const { data } = await (await client.send("/v1/jobs?limit=1000")).json();
  const ended = (data as { id: string; status: string }[])
    .filter(({ status }) => status === "succeeded");
  return new Set(ended.map(({ id }) => id));
}
