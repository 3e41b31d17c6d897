/**
 * README and code say the same.
 *
 * @module
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { helpText } from "../functions/env.ts";

const ROOT = new URL("..", import.meta.url);
const readme = Deno.readTextFileSync(new URL("README.md", ROOT));

Deno.test("README lists every file of the program, and no other", () => {
  const tree = readme.split("## Where things are")[1]!.split("```")[1]!;
  let folder = "";
  const listed: string[] = [];
  for (const line of tree.split("\n")) {
    const name = line.trim().split(/\s/)[0]!;
    if (name.endsWith("/")) folder = name;
    else if (name.endsWith(".ts")) listed.push(`${folder}${name}`);
  }
  const folders = ["functions/", "lib/", "models/", "deploy/"];
  const there = folders.flatMap((folder) => [...sources(folder)]);
  deepStrictEqual(listed.sort(), there.sort());
});

Deno.test("README lists every variable as --help does", () => {
  const variables = helpText().split("Environment variables:\n")[1]!
    .trimEnd().replaceAll(/^ {2}/gm, "");
  ok(readme.includes(variables), "copy the list from --help");
});

Deno.test("README gives a reason for every dependency", () => {
  const { imports } = JSON.parse(
    Deno.readTextFileSync(new URL("deno.json", ROOT)),
  );
  const table = readme.split("## Dependencies")[1]!;
  const silent = Object.keys(imports).filter((name) =>
    !new RegExp(`\\| \`${name}\` +\\|`).test(table)
  );
  deepStrictEqual(silent, []);
});

function* sources(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) yield* sources(`${path}/`);
    else if (path.endsWith(".ts")) yield path;
  }
}
