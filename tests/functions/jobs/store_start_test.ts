/** The store of a server at its start. */

import { doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { TINY_FOLDERS } from "../../support/tiny_server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const MAIN = new URL("../../../functions/main.ts", import.meta.url).pathname;

/** The ready line: lines before it are logged while models load. */
const READY = /^emu3 .* ready.*\n/m;

function start(env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", MAIN],
    env: { MODEL: TINY_FOLDERS.gen, THREADS: "1", PORT: "0", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Returns the first line of a stream, or first match; discards the rest. */
async function firstLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  like = /^.*\n/,
): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (like.test(text)) break;
  }
  return like.exec(text)![0].trimEnd();
}

Deno.test("main keeps jobs in memory if the default store is unusable, and reports it", async () => {
  using folder = temporaryFolder();
  const noFolder = folder.write("cache", "a file");
  const server = start({ XDG_CACHE_HOME: noFolder });
  const [ready, warning] = await Promise.all([
    firstLine(server.stdout, READY),
    firstLine(server.stderr),
  ]);
  server.kill("SIGTERM");
  const { code } = await server.status;
  match(ready, /^emu3 .* ready/);
  match(
    warning,
    /^Cannot use store .*jobs\.sqlite: .*; set STORE to a writable file; jobs are kept in memory until then$/,
  );
  strictEqual(code, 0);
});

Deno.test("main does not start with an unusable named store", async () => {
  using folder = temporaryFolder();
  const path = folder.write("notes.txt", "not a database. ".repeat(99));
  const { code, stdout, stderr } = await start({ STORE: path }).output();
  strictEqual(code, 1);
  // Models may have started to load; no address was announced.
  doesNotMatch(new TextDecoder().decode(stdout), /ready/);
  strictEqual(
    new TextDecoder().decode(stderr),
    `Cannot use store ${path}: it is not a store; set STORE to another file\n`,
  );
  ok((await Deno.readTextFile(path)).startsWith("not a database."));
});

Deno.test("main does not start a second server on one named store", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const first = start({ STORE: path });
  await firstLine(first.stdout, READY);
  const { code, stderr } = await start({ STORE: path }).output();
  first.kill("SIGTERM");
  await first.stderr.cancel();
  await first.status;
  strictEqual(code, 1);
  match(
    new TextDecoder().decode(stderr),
    /^Cannot use store .*: another server has it open; set STORE to another file\n$/,
  );
});
