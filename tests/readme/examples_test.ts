/**
 * Examples of the READMEs, as they stand, against a server of the embedded
 * model. Those in Python run with the Python clients; what cannot run here is
 * listed with the reason.
 */

import { strictEqual } from "node:assert/strict";
import {
  commandsOf,
  examplesOf,
  type EXCEPTIONS,
  PAGES_OF_FILES,
  READMES,
  runnable,
  runProgram,
  succeeds,
} from "../support/readme_examples.ts";
import { startServer } from "../support/server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Where the READMEs' server listens. */
const ADDRESS = "http://127.0.0.1:8080";

const all = READMES.flatMap(examplesOf);
const scripts = all.filter(({ language }) => language === "sh");
const programs = all.filter(({ language, file }) =>
  /^[jt]s$/.test(language) && !PAGES_OF_FILES.has(file)
);

Deno.test("examples of the READMEs run unchanged", async (t) => {
  await using server = await startServer();
  const here = (code: string) => code.replaceAll(ADDRESS, server.url);
  const done = new Set<typeof EXCEPTIONS[number]>();
  using folders = new DisposableStack();
  const folderOf = new Map(
    READMES.map((file) => [file, folders.use(temporaryFolder())]),
  );
  for (const { file, code } of scripts) {
    const [first = ""] = commandsOf(code);
    await t.step(`${file}: ${first}`, async () => {
      // A page's scripts run one after the other in one folder, as its reader
      // runs them: a later one may read what an earlier one wrote.
      const folder = folderOf.get(file)!;
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

/** What a program prints, as the comments at its end have it. */
function toldBy(code: string): string {
  const [comments = ""] = /(?:^\/\/ .*\n)+$/m.exec(`${code.trimEnd()}\n`) ?? [];
  return comments.replaceAll(/^\/\/ /gm, "");
}
