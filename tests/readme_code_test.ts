/**
 * Checks of code in the READMEs without running it: its syntax, its languages
 * and its coverage. `readme/examples_test.ts` runs it.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { PROBLEMS } from "../functions/http/errors/problems.ts";
import {
  commandsOf,
  examplesOf,
  EXCEPTIONS,
  READMES,
  RECIPES,
  succeeds,
  TASKS,
} from "./support/readme_examples.ts";
import { temporaryFolder } from "./support/temporary_folder.ts";

const all = READMES.flatMap(examplesOf);
const scripts = all.filter(({ language }) => language === "sh");

Deno.test("README commands that are not run parse as shell", async () => {
  using folder = temporaryFolder();
  for (const { code } of scripts) {
    await succeeds("bash", ["-n", "-c", code], folder.path);
  }
});

Deno.test("EXCEPTIONS match existing commands only", () => {
  const commands = scripts.flatMap(({ code }) => commandsOf(code));
  const idle = EXCEPTIONS.filter(({ pattern }) =>
    !commands.some((command) => pattern.test(command))
  );
  deepStrictEqual(idle, []);
});

Deno.test("README blocks have a language that is run, or are text", () => {
  const kinds = new Set(["sh", "js", "ts", "text"]);
  const strays = all.filter(({ language, file }) =>
    !kinds.has(language) && !(language === "python" && isRun(file))
  );
  deepStrictEqual(strays, []);
});

Deno.test("functions/README and its pages show every capability in curl, JavaScript and Python", () => {
  const names = ["generate", "caption", "tokenize", "detokenize", "score"];
  const readme = all.filter(({ file }) => file.startsWith("functions/"));
  for (const kind of ["sh", "js", "python"]) {
    const code = readme.filter(({ language }) => language === kind)
      .map(({ code }) => code).join("\n");
    const missing = names.filter((name) =>
      !new RegExp(`/v1/${name}\\b|emu3\\("${name}"`).test(code)
    );
    strictEqual(missing.join(), "");
    ok(/respond-async/.test(code), "a job");
  }
});

Deno.test("functions/README lists every error with its remedy", () => {
  const text = flat("functions/README.md");
  const missing = Object.entries(PROBLEMS).filter(([code, kind]) =>
    !text.includes(`- \`${code}\`, ${kind.status}: ${kind.remedy}`)
  );
  deepStrictEqual(missing.map(([code]) => code), []);
});

Deno.test("tests/README lists every task that tests or measures", () => {
  const text = flat("tests/README.md");
  const missing = Object.entries(TASKS).filter(([name, { description }]) =>
    /^(test:|bench)/.test(name) &&
    !text.includes(`- \`${name}\`: ${description}`)
  );
  deepStrictEqual(missing.map(([name]) => name), []);
});

Deno.test("README shows one call in curl, JavaScript and Python", () => {
  const readme = all.filter(({ file }) => file === "README.md");
  for (const kind of ["sh", "js", "python"]) {
    ok(
      readme.some(({ language, code }) =>
        language === kind && code.includes("/v1/generate")
      ),
    );
  }
});

Deno.test("README has at most 250 lines, with start and test in the first screen", () => {
  const text = Deno.readTextFileSync(new URL("../README.md", import.meta.url));
  const lines = text.split("\n");
  ok(lines.length <= 250, `${lines.length} lines`);
  const screen = lines.slice(0, 25).join("\n");
  for (const task of ["start", "test"]) {
    ok(screen.includes(`npx -y deno@2.9.6 task ${task} `), task);
  }
});

Deno.test("README links to every README and page", () => {
  const text = Deno.readTextFileSync(new URL("../README.md", import.meta.url));
  const missing = READMES.filter((file) =>
    file !== "README.md" && !text.includes(`](${file})`)
  );
  deepStrictEqual(missing, []);
});

Deno.test("READMEs and pages run tasks by npx, not by a Deno to be installed", () => {
  const bare = READMES.filter((file) =>
    /\bdeno (task|run|test|install|bench|doc)\b/.test(flat(file))
  );
  deepStrictEqual(bare, []);
});

Deno.test("README links lead to existing files and headings", () => {
  for (const file of READMES) {
    const at = new URL(`../${file}`, import.meta.url);
    const text = Deno.readTextFileSync(at);
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = "", heading] = target.split("#");
      const linked = path === "" ? at : new URL(path, at);
      ok(Deno.statSync(linked).isFile, `${file}: ${target}`);
      if (heading === undefined) continue;
      const titles = Deno.readTextFileSync(linked).matchAll(/^#+ (.*)$/gm);
      const anchors = [...titles].map(([, title = ""]) =>
        title.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-")
      );
      ok(anchors.includes(heading), `${file}: ${target}`);
    }
  }
});

/** Returns true if the Python of a page runs with the Python clients. */
function isRun(file: string): boolean {
  return file === "README.md" || file === RECIPES ||
    file.startsWith("functions/");
}

/** Reads a README as one line, independent of its wrapping. */
function flat(file: string): string {
  const text = Deno.readTextFileSync(new URL(`../${file}`, import.meta.url));
  return text.replaceAll(/\s+/g, " ");
}
