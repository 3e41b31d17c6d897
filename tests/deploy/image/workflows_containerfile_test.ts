/**
 * The tests that Containerfile.workflows matches the service of the chains.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  type ModuleGraph,
  neededFiles,
  neededFolders,
} from "../../../deploy/image/packages.ts";
import { USER } from "../../../deploy/platforms/platform.ts";
import { SERVICE_PORT } from "../../../deploy/platforms/workflows/cluster_options.ts";
import {
  DATA_FOLDER,
  REGISTER,
} from "../../../deploy/platforms/workflows/service_container.ts";

const ROOT = new URL("../../../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));
const text = read("deploy/Containerfile.workflows").replaceAll(/\\\n\s*/g, "");
const entry: string[] = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(text)![1]!);
const programs = ["deploy/workflows/service_main.ts", REGISTER.at(-1)!];

async function graphOf(program: string): Promise<ModuleGraph> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", program],
    cwd: ROOT,
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("Containerfile.workflows keeps the two programs, and neither models nor ONNX Runtime", async () => {
  const [, kept = ""] = /prune\.ts --only (.+?) &&/.exec(text)!;
  deepStrictEqual(kept.trim().split(/\s+/), programs);
  for (const program of programs) {
    const graph = await graphOf(program);
    const files = [...neededFiles(graph)].map((url) =>
      url.slice(ROOT.href.length)
    );
    ok(files.includes(program));
    // The image is built of these folders alone.
    for (const file of files) match(file, /^(deploy|lib)\//);
    for (const file of files) ok(!file.startsWith("deploy/platforms/"), file);
    for (const folder of neededFolders(graph)) {
      ok(!/onnx|hono/.test(folder), folder);
    }
  }
});

Deno.test("Containerfile.workflows runs `deno task workflows:service`, with its folders only", () => {
  const { tasks } = JSON.parse(read("deno.json"));
  const flags = (words: string[]) =>
    words.filter((word) => /^--(?:allow-|v8-flags)/.test(word))
      // The image lists the folders.
      .map((word) => word.replace(/^(--allow-(?:read|write))=.*/, "$1"))
      .sort();
  const task: string[] = tasks["workflows:service"].command.split(" ");
  deepStrictEqual(flags(entry), flags(task));
  strictEqual(entry.at(-1), task.at(-1));
  ok(entry.includes(`--allow-read=/app,${DATA_FOLDER}`));
  ok(entry.includes(`--allow-write=${DATA_FOLDER}`));
});

Deno.test("Containerfile.workflows uses the Deno version, port and user of the deployment files", () => {
  const version = Deno.version.deno.replaceAll(".", "\\.");
  match(text, new RegExp(`deno:bin-${version}$`, "m"));
  match(text, new RegExp(`^EXPOSE ${SERVICE_PORT}$`, "m"));
  match(text, new RegExp(` PORT=${SERVICE_PORT}$`, "m"));
  match(text, new RegExp(`^USER ${USER}:${USER}$`, "m"));
  ok(entry.includes("--no-prompt") && entry.includes("--cached-only"));
});
