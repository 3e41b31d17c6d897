/**
 * Examples of the READMEs, as they stand, against a server of the embedded
 * model. Those in Python run with the Python clients; what cannot run here is
 * listed with the reason.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { PROBLEMS } from "../../functions/problem_table.ts";
import {
  commandsOf,
  examplesOf,
  EXCEPTIONS,
  READMES,
  runnable,
  runProgram,
  succeeds,
  TASKS,
} from "../support/readme_examples.ts";
import { startServer } from "../support/server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Where the READMEs' server listens. */
const ADDRESS = "http://127.0.0.1:8080";

const all = READMES.flatMap(examplesOf);
const scripts = all.filter(({ language }) => language === "sh");
const programs = all.filter(({ language }) => /^[jt]s$/.test(language));

Deno.test("examples of the READMEs run as they stand", async (t) => {
  await using server = await startServer();
  const here = (code: string) => code.replaceAll(ADDRESS, server.url);
  const done = new Set<typeof EXCEPTIONS[number]>();
  for (const { file, code } of scripts) {
    const [first = ""] = commandsOf(code);
    await t.step(`${file}: ${first}`, async () => {
      using folder = temporaryFolder();
      // A refusal is an answer to curl, and no success here.
      const script = here(runnable(code, done))
        .replaceAll("curl ", "curl --fail-with-body ");
      const args = ["-euo", "pipefail", "-c", script];
      await succeeds("bash", args, folder.path, { HF_HOME: folder.path });
    });
  }
  for (const example of programs) {
    const [first = ""] = example.code.split("\n");
    await t.step(`${example.file}: ${first}`, async () => {
      using folder = temporaryFolder();
      const printed = await runProgram(
        example,
        here(example.code),
        folder.path,
      );
      const told = toldBy(example.code);
      if (told !== "") strictEqual(printed, told);
    });
  }
});

Deno.test("what is not run is at least a command", async () => {
  using folder = temporaryFolder();
  for (const { code } of scripts) {
    await succeeds("bash", ["-n", "-c", code], folder.path);
  }
});

Deno.test("nothing is excepted that is not there", () => {
  const commands = scripts.flatMap(({ code }) => commandsOf(code));
  const idle = EXCEPTIONS.filter(({ pattern }) =>
    !commands.some((command) => pattern.test(command))
  );
  deepStrictEqual(idle, []);
});

Deno.test("every block is of a kind that is run, or is no code", () => {
  const kinds = new Set(["sh", "js", "ts", "text"]);
  const strays = all.filter(({ language, file }) =>
    !kinds.has(language) && !(language === "python" && file === "README.md")
  );
  deepStrictEqual(strays, []);
});

Deno.test("README has every capability in curl, JavaScript and Python", () => {
  const names = ["generate", "caption", "tokenize", "detokenize", "score"];
  const readme = all.filter(({ file }) => file === "README.md");
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

Deno.test("functions/README has every error, with what to do", () => {
  const text = flat("functions/README.md");
  const missing = Object.entries(PROBLEMS).filter(([code, kind]) =>
    !text.includes(`- \`${code}\`, ${kind.status}: ${kind.remedy}`)
  );
  deepStrictEqual(missing.map(([code]) => code), []);
});

Deno.test("tests/README has every task that tests or measures", () => {
  const text = flat("tests/README.md");
  const missing = Object.entries(TASKS).filter(([name, { description }]) =>
    /^(test:|bench)/.test(name) &&
    !text.includes(`- \`${name}\`: ${description}`)
  );
  deepStrictEqual(missing.map(([name]) => name), []);
});

/** What a program prints, as the comments at its end have it. */
function toldBy(code: string): string {
  const [comments = ""] = /(?:^\/\/ .*\n)+$/m.exec(`${code.trimEnd()}\n`) ?? [];
  return comments.replaceAll(/^\/\/ /gm, "");
}

/** A README in one line, whatever it is wrapped at. */
function flat(file: string): string {
  const text = Deno.readTextFileSync(new URL(`../${file}`, import.meta.url));
  return text.replaceAll(/\s+/g, " ");
}
