/**
 * The consistency of README and its pages with the code.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { groupText } from "../functions/env.ts";
import { VARIABLE_GROUPS } from "../functions/variables.ts";
import { VERSION } from "../lib/version.ts";

const ROOT = new URL("..", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));

Deno.test("the contributing page lists every folder of the program, and no other", () => {
  const page = read("tests/docs/contributing.md");
  const tree = page.split("## Where things are")[1]!.split("```")[1]!;
  const listed = tree.split("\n")
    .map((line) => line.trim().split(/\s/)[0]!)
    .filter((name) => name.endsWith("/") && name !== "tests/");
  const tops = ["functions/", "lib/", "models/", "deploy/"];
  const there = tops.flatMap((folder) => [...folders(folder)]);
  deepStrictEqual(listed.sort(), there.sort());
});

Deno.test("the contributing page names only files and folders that exist", () => {
  const [prose = ""] = read("tests/docs/contributing.md")
    .split("## Where things are");
  const paths = [
    ...prose.matchAll(/`((?:functions|lib|models|deploy|tests)\/[\w./-]*)`/g),
  ].map(([, path = ""]) => path);
  ok(paths.length > 25, `${paths.length} paths`);
  const missing = paths.filter((path) => !isThere(path));
  deepStrictEqual(missing, []);
});

Deno.test("the configuration page lists every group of variables as --help does", () => {
  const page = read("functions/docs/configuration.md");
  const titles = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  deepStrictEqual(titles, Object.keys(VARIABLE_GROUPS));
  for (const title of Object.keys(VARIABLE_GROUPS)) {
    const section = page.split(`## ${title}\n`)[1]!.split("\n## ")[0]!;
    const [, block] = section.split("```text\n");
    strictEqual(block?.split("```")[0], `${groupText(title)}\n`, title);
  }
});

Deno.test("the dependencies page gives a reason for every dependency", () => {
  const { imports } = JSON.parse(read("deno.json"));
  const table = read("deploy/docs/dependencies.md");
  const silent = Object.keys(imports).filter((name) =>
    !new RegExp(`\\| \`${name}\` +\\|`).test(table)
  );
  deepStrictEqual(silent, []);
});

Deno.test("CHANGELOG begins with the current version", () => {
  const changelog = Deno.readTextFileSync(new URL("CHANGELOG.md", ROOT));
  const versions = [...changelog.matchAll(/^## \[(\d\S*)\]/gm)];
  strictEqual(versions[0]?.[1], VERSION);
});

/** Returns true for a file; for a folder, if `path` ends in a slash. */
function isThere(path: string): boolean {
  try {
    const { isDirectory } = Deno.statSync(new URL(path, ROOT));
    return isDirectory === path.endsWith("/");
  } catch {
    return false;
  }
}

/** Yields `folder` and its subfolders that hold files; models as wholes. */
function* folders(folder: string): Generator<string> {
  const entries = [...Deno.readDirSync(new URL(folder, ROOT))];
  if (entries.some(({ isFile }) => isFile)) yield folder;
  for (const { isDirectory, name } of entries) {
    const whole = folder.startsWith("models/emu3-mini");
    if (isDirectory && !whole) yield* folders(`${folder}${name}/`);
  }
}
