/**
 * The tests that the Containerfiles match the program.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { lives } from "../../../deploy/image/livez.ts";
import { placesFrom } from "../../../deploy/cache/locate.ts";
import { PROXY_VARIABLES } from "../../../deploy/cache/net/range_connections.ts";
import {
  CACHE,
  MODELS,
  PORT,
  USER,
} from "../../../deploy/platforms/platform.ts";
import { readEnvironment } from "../../../functions/env.ts";

const ROOT = new URL("../../../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));
const text = read("deploy/Containerfile");
const cuda = read("deploy/Containerfile.cuda");

/** Variables that packages read. */
const OF_PACKAGES = ["CODECS_FORCE_WASM", "IMAGESCRIPT_WASM_SIMD"];

/** Returns the words of an instruction in JSON form. */
function words(instruction: string): string[] {
  const joined = text.replaceAll(/\\\n\s*/g, "");
  const [, list] = new RegExp(`^\\s*${instruction} (\\[.*\\])$`, "m")
    .exec(joined)!;
  return JSON.parse(list!);
}

/** Returns the list in a flag of the entry. */
function listed(flag: string): string[] {
  const word = words("ENTRYPOINT").find((word) => word.startsWith(`${flag}=`))!;
  return word.slice(flag.length + 1).split(",");
}

/** Returns variables that the files of a folder read by name. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    // Commands are for a terminal; the image only serves.
    if (path === "functions/cli") return [];
    if (entry.isDirectory) return namesIn(path);
    if (!path.endsWith(".ts")) return [];
    const calls = /\b(?:get|variable)\(\s*"([A-Z][A-Z0-9_]+)"/g;
    return [...read(path).matchAll(calls)].map(([, name]) => name!);
  });
}

Deno.test("Containerfile lets the entry read only the variables of the server", () => {
  const requested = new Set(["functions", "deploy/cache"].flatMap(namesIn));
  readEnvironment({ cpus: 1, memoryBytes: 2 ** 30 }, (name) => {
    requested.add(name);
    return undefined;
  });
  for (const name of [...OF_PACKAGES, ...PROXY_VARIABLES]) requested.add(name);
  const lists = listed("--allow-env").map((text) => {
    const pattern = text.replace(/\*$/, ".*");
    return { text, pattern: new RegExp(`^${pattern}$`) };
  });
  deepStrictEqual(
    [...requested].filter((name) =>
      !lists.some(({ pattern }) => pattern.test(name))
    ),
    [],
    "missing",
  );
  deepStrictEqual(
    lists.filter(({ pattern }) =>
      ![...requested].some((name) => pattern.test(name))
    )
      .map(({ text }) => text),
    [],
    "too many",
  );
});

Deno.test("Containerfile lets the entry read the folders of models, and write to mounts", () => {
  const folders = listed("--allow-read");
  for (const path of placesFrom(() => undefined).modelFolders) {
    ok(folders.includes(path), path);
  }
  ok(folders.includes(MODELS) && folders.includes(CACHE));
  deepStrictEqual(listed("--allow-write"), [CACHE, "/runpod-volume", "/tmp"]);
});

Deno.test("Containerfile runs `deno task start`, without prompts and downloads", () => {
  const { tasks } = JSON.parse(read("deno.json"));
  const flags = (words: string[]) =>
    words.filter((word) => /^--(?:allow-|v8-flags)/.test(word))
      .map((word) =>
        // Of permissions only the names: the image lists their values.
        word.startsWith("--allow-") ? word.split("=")[0]! : word
      ).sort();
  const entry = words("ENTRYPOINT");
  deepStrictEqual(flags(entry), flags(tasks.start.command.split(" ")));
  strictEqual(entry.at(-1), tasks.start.command.split(" ").at(-1));
  ok(entry.includes("--no-prompt") && entry.includes("--cached-only"));
});

Deno.test("Containerfiles use the Deno version, port and user of the deployment files", () => {
  match(
    text,
    new RegExp(`deno:bin-${Deno.version.deno.replaceAll(".", "\\.")}$`, "m"),
  );
  match(text, new RegExp(`^EXPOSE ${PORT}$`, "m"));
  match(text, new RegExp(`^USER ${USER}:${USER}$`, "m"));
  match(text, new RegExp(`^VOLUME ${CACHE}$`, "m"));
  match(text, new RegExp(`XDG_CACHE_HOME=${CACHE}\\b`));
});

Deno.test("Containerfile.cuda has the ONNX Runtime of deno.json, every wheel by hash", () => {
  const { imports } = JSON.parse(read("deno.json"));
  const version = imports["onnxruntime-node"].split("@").at(-1);
  const wheels = read("deploy/image/cuda.txt").split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  ok(wheels.some((line) => line.startsWith(`onnxruntime-gpu==${version} `)));
  for (const line of wheels) match(line, / --hash=sha256:[0-9a-f]{64}$/);
  match(cuda, new RegExp(`/onnxruntime-node@${version}/`));
});

Deno.test("lives() returns true for a healthy response only", async () => {
  let status = 200;
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response("", { status }),
  );
  const url = `http://127.0.0.1:${server.addr.port}/livez`;
  strictEqual(await lives(url), true);
  status = 503;
  strictEqual(await lives(url), false);
  await server.shutdown();
  strictEqual(await lives(url), false);
});
