/**
 * README's examples in curl and JavaScript, as they stand, against a server of
 * the embedded model. Those in Python run with the Python clients.
 */

import { ok, strictEqual } from "node:assert/strict";
import { startServer } from "./support/server.ts";
import { temporaryFolder } from "./support/temporary_folder.ts";

const ROOT = new URL("..", import.meta.url);
const CONFIG = new URL("deno.json", ROOT).pathname;
const readme = Deno.readTextFileSync(new URL("README.md", ROOT));

/** Where README's server listens. */
const ADDRESS = "http://127.0.0.1:8080";

/** Blocks of a language that ask README's server. */
function examples(language: string): string[] {
  const blocks = readme.matchAll(
    new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"),
  );
  return [...blocks].map(([, code]) => code!)
    .filter((code) => code.includes("127.0.0.1:8080/"));
}

/** Runs a program in an empty folder; fails when it does. */
async function succeeds(
  command: string,
  args: readonly string[],
  folder: string,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: folder,
  }).output();
  const text = new TextDecoder();
  ok(success, text.decode(stderr));
  return text.decode(stdout);
}

Deno.test("README's examples run as they stand", async () => {
  await using server = await startServer();
  const here = (code: string) => code.replaceAll(ADDRESS, server.url);
  const scripts = examples("sh");
  ok(scripts.length >= 2, "curl draws, and asks for a job");
  for (const script of scripts) {
    using folder = temporaryFolder();
    // A refusal is an answer to curl, and no success here.
    const strict = here(script).replaceAll("curl ", "curl --fail-with-body ");
    const args = ["-euo", "pipefail", "-c", strict];
    const printed = await succeeds("bash", args, folder.path);
    ok(printed.length > 0);
  }
  const programs = examples("js");
  ok(programs.length >= 5, "fetch, a job, and clients that people have");
  for (const program of programs) {
    using folder = temporaryFolder();
    const file = folder.write("example.js", here(program));
    const args = ["run", "-q", "-A", `--config=${CONFIG}`, file];
    await succeeds(Deno.execPath(), args, folder.path);
  }
});

Deno.test("README has every capability in curl, JavaScript and Python", () => {
  const names = ["generate", "caption", "tokenize", "detokenize", "score"];
  const all = ["sh", "js", "python"].map((language) => {
    const blocks = readme.matchAll(
      new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"),
    );
    return [...blocks].map(([, code]) => code).join("\n");
  });
  for (const code of all) {
    const missing = names.filter((name) =>
      !new RegExp(`/v1/${name}\\b|emu3\\("${name}"`).test(code)
    );
    strictEqual(missing.join(), "");
    ok(/respond-async/.test(code), "a job");
  }
});
