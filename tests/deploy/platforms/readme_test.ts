/**
 * The tests that the READMEs on deployment are correct.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { parseArguments, USAGE } from "../../../deploy/platforms/arguments.ts";
import { environmentOf } from "../../../deploy/platforms/platform.ts";
import { renderPrepareJob } from "../../../deploy/platforms/prepare_job.ts";
import { parsePrepareJob } from "../../../deploy/platforms/prepare_job_arguments.ts";
import {
  parseClusterArguments,
  renderCluster,
} from "../../../deploy/platforms/workflows/cluster_arguments.ts";
import { PLATFORMS, render } from "../../../deploy/platforms/platforms.ts";
import { VARIABLES } from "../../../functions/variables.ts";

const ROOT = new URL("../../../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));
const readme = read("deploy/README.md");
const page = read("deploy/docs/platforms.md");
const clusters = read("deploy/docs/workflow_cluster.md");

Deno.test("READMEs have only deploy commands that render", () => {
  const texts = [page, readme, clusters, read("README.md")].join("\n")
    .replaceAll(/\\\n\s*/g, "");
  const lines = [...texts.matchAll(/^.*\btask deploy (?!--help)(.+)$/gm)]
    .map(([, line]) => line!).filter((line) => !line.includes("`"));
  ok(lines.length > PLATFORMS.length);
  for (const line of lines) {
    const [first, ...others] = line.split(/\s+/);
    if (first === "prepare-data") {
      const { options } = parsePrepareJob(others);
      ok(Object.keys(renderPrepareJob(options).files).length > 0, line);
      continue;
    }
    if (first === "workflows") {
      const parsed = parseClusterArguments(others);
      if (parsed.type !== "render") continue;
      const { files } = renderCluster(parsed.platform, parsed.options);
      for (const file of Object.keys(files)) {
        ok(clusters.includes(`\`${file}\``), file);
      }
      continue;
    }
    const { platform, options } = parseArguments(line.split(/\s+/));
    ok(
      Object.keys(render(platform, options, VARIABLES).files).length > 0,
      line,
    );
  }
});

Deno.test("deploy/docs/platforms.md names the files of each platform", () => {
  for (const platform of PLATFORMS) {
    const [, below = ""] = page.split(`\n## ${platform.name}\n`);
    const [section = ""] = below.split("\n## ");
    const words = ["--image", "emu3", "--dry-run"];
    const gpu = platform.name.startsWith("runpod") ? ["--gpu"] : [];
    const { options } = parseArguments([platform.name, ...words, ...gpu]);
    for (
      const file of Object.keys(render(platform, options, VARIABLES).files)
    ) {
      ok(section.includes(`\`${file}\``), `${platform.name}: ${file}`);
    }
  }
});

Deno.test("deploy/docs/platforms.md lists every platform, with its limits", () => {
  const rows = page.split("\n").filter((line) => /^\| `/.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  deepStrictEqual(
    rows.map(([, name]) => name!.replaceAll("`", "")),
    PLATFORMS.map(({ name }) => name),
  );
  const { options } = parseArguments([
    "docker",
    "--image",
    "emu3",
    "--dry-run",
  ]);
  for (const [index, { name, facts }] of PLATFORMS.entries()) {
    const end = rows[index]![6]!;
    const { SHUTDOWN_GRACE_S } = environmentOf(options, facts);
    ok(end.startsWith(`${facts.graceS} s`), name);
    ok(end.includes(`(${SHUTDOWN_GRACE_S})`), name);
    const most = facts.maxRequestS;
    const told = rows[index]![5]!;
    strictEqual(
      told,
      most === undefined ? "any" : most === 86_400 ? "a day" : `${most} s`,
      name,
    );
  }
});

Deno.test("--help and deploy/docs/platforms.md state the default resources", () => {
  const words = ["docker", "--image", "emu3", "--dry-run"];
  const { cpus, memoryGib, cacheGib } = parseArguments(words).options;
  const stated = `${cpus}, ${memoryGib} and ${cacheGib}`;
  for (const value of [cpus, memoryGib, cacheGib]) {
    match(USAGE, new RegExp(`^  --.*\\(${value}\\)$`, "m"));
  }
  ok(page.replaceAll(/\s+/g, " ").includes(`are ${stated} unless given`));
});

Deno.test("READMEs have only build commands with existing files", async () => {
  const named = [...readme.matchAll(/docker build -f (\S+)/g)];
  ok(named.length >= 2);
  for (const [, path] of named) {
    ok((await Deno.stat(new URL(path!, ROOT))).isFile);
  }
});
