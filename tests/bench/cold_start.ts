// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of a cold start: from the process to the first answer, in
 * tables for RESULTS.md.
 *
 * ```sh
 * deno task bench:start [--runs=5] [--full=FOLDER] [--only=TEXT]
 * ```
 *
 * Fresh processes, warm caches. `--full` adds a language model of the published
 * 8 B in int4, which is written into FOLDER (5.6 GB) unless it exists, and
 * takes 5 GB of memory. `--only` keeps the servers whose names contain TEXT.
 *
 * @module
 */

import { join } from "node:path";
import { writeFull } from "./full_checkpoint.ts";
import { writeMiddle, writeSmallVision } from "./middle_checkpoint.ts";
import { freePort } from "../support/free_port.ts";

/** A server to start. */
interface Contender {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Path of the first request. */
  readonly path: string;
  readonly body: unknown;
}

/** The times of a start, in seconds since the command. */
interface Start {
  readonly listening: number;
  readonly ready: number;
  readonly firstEvent: number;
  readonly answer: number;
  /** CPU time until ready, and until the answer; Linux only. */
  readonly readyCpu: number | undefined;
  readonly answerCpu: number | undefined;
  /** Start and duration by model and phase. */
  readonly phases: ReadonlyMap<string, readonly [number, number]>;
}

const MAIN = new URL("../../functions/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Polling interval in milliseconds. */
const POLL_MS = 4;

const options = new Map(Deno.args.map((argument) => {
  const [name, value = ""] = argument.replace(/^--/, "").split("=");
  return [name!, value];
}));
const runs = Number(options.get("runs") ?? 5);
const only = options.get("only") ?? "";
const temporary = await Deno.makeTempDir();
try {
  console.log(
    "| server | listening | ready | first event | first answer | processor: ready | first answer |\n| --- | --: | --: | --: | --: | --: | --: |",
  );
  const told: string[] = [];
  for (const contender of await contenders(temporary, options.get("full"))) {
    if (!contender.name.includes(only)) continue;
    const starts: Start[] = [];
    for (let run = 0; run < runs; run++) starts.push(await start(contender));
    starts.sort((a, b) => a.answer - b.answer);
    const median = starts[runs >> 1]!;
    const { listening, ready, firstEvent, answer } = median;
    const { readyCpu, answerCpu } = median;
    const times = [listening, ready, firstEvent, answer, readyCpu, answerCpu];
    const numbers = times.map(seconds);
    console.log(`| ${contender.name} | ${numbers.join(" | ")} |`);
    told.push(phaseTable(contender.name, median));
  }
  console.log(told.join("\n"));
} finally {
  await Deno.remove(temporary, { recursive: true });
}

async function contenders(
  folder: string,
  full: string | undefined,
): Promise<readonly Contender[]> {
  const middle = join(folder, "middle");
  const vision = join(folder, "middle-visiontokenizer");
  for (const path of [middle, vision]) await Deno.mkdir(path);
  await writeMiddle(middle, "BF16");
  await writeSmallVision(vision);
  const drawing = { path: "/v1/generate", body: { prompt: "a fox", seed: 1 } };
  const small = { ...drawing.body, height: 32, width: 32 };
  const picture = await picture64();
  const list: Contender[] = [
    { name: "emu3-mini, all functions", env: {}, ...drawing },
    {
      name: "emu3-mini, FUNCTIONS=tokenize",
      env: { FUNCTIONS: "tokenize" },
      path: "/v1/tokenize",
      body: { image: picture },
    },
    {
      name: "207 M in bfloat16, FUNCTIONS=generate",
      env: { MODEL: middle, FUNCTIONS: "generate" },
      path: drawing.path,
      body: small,
    },
  ];
  if (full === undefined) return list;
  if (!await isThere(join(full, "config.json"))) {
    await Deno.mkdir(full, { recursive: true });
    await writeFull(full);
  }
  return [...list, {
    name: "8 B in int4, FUNCTIONS=generate",
    env: { MODEL: full, VISION_MODEL: vision, FUNCTIONS: "generate" },
    path: drawing.path,
    body: small,
  }];
}

async function start({ env, path, body }: Contender): Promise<Start> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const begun = performance.now();
  const since = () => (performance.now() - begun) / 1000;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", `--config=${CONFIG}`, MAIN],
    env: { PORT: `${port}`, STORE: ":memory:", ...env },
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    await until(`${url}/livez`);
    const listening = since();
    await until(`${url}/readyz`);
    const ready = since();
    const readyCpu = await processorSeconds(process.pid);
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: path === "/v1/generate"
          ? "text/event-stream"
          : "application/json",
      },
      body: JSON.stringify(body),
    });
    let firstEvent: number | undefined;
    for await (const _ of response.body!) firstEvent ??= since();
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    const answer = since();
    const answerCpu = await processorSeconds(process.pid);
    const phases = await phasesOf(url);
    return {
      listening,
      ready,
      firstEvent: firstEvent!,
      answer,
      readyCpu,
      answerCpu,
      phases,
    };
  } finally {
    process.kill("SIGKILL");
    await process.status;
  }
}

/** Resolves when `url` answers with success. */
async function until(url: string): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(url);
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // The server does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function phasesOf(url: string): Promise<Start["phases"]> {
  const { data } = await (await fetch(`${url}/v1/models`)).json();
  const phases = new Map<string, readonly [number, number]>();
  for (const { id, phases: all } of data) {
    for (const { name, started_at: at, seconds } of all) {
      phases.set(`${id}: ${name}`, [at, seconds]);
    }
  }
  return phases;
}

function phaseTable(name: string, { phases }: Start): string {
  const lines = [...phases].map(([phase, [at, took]]) =>
    `| ${phase} | ${seconds(at)} | ${seconds(took)} |`
  );
  return `\n${name}\n\n| phase | begins | takes |\n| --- | --: | --: |\n${
    lines.join("\n")
  }`;
}

/**
 * Returns the CPU time of a process with all its threads; undefined except on
 * Linux.
 */
async function processorSeconds(pid: number): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name may contain anything, so fields are read after it; user and system
  // time in hundredths of a second.
  const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ")
    .slice(12, 14).map(Number);
  return (user! + system!) / 100;
}

/** Formats seconds; empty for a running phase or an unknown value. */
function seconds(value: number | undefined): string {
  return value === undefined ? "–" : `${value.toFixed(2)} s`;
}

/** Returns a picture for questions, in base64. */
async function picture64(): Promise<string> {
  const url = new URL("../../models/emu3-mini/pictures.png", import.meta.url);
  return (await Deno.readFile(url)).toBase64();
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
