/**
 * The preparation of data by servers in processes of their own, of which one is
 * killed: the set is that of this machine.
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import {
  contentOf,
  finish,
  writeInput,
} from "../support/killed_preparation.ts";
import { startPrepare } from "../support/prepare_process.ts";
import { startServer } from "../support/server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { TINY_FOLDERS } from "../support/tiny_server.ts";

Deno.test("prepare-data by three servers makes the set of this machine, though one is killed", async () => {
  using folder = temporaryFolder();
  writeInput(folder, 120);
  strictEqual((await finish(folder.path, "here", "parquet")).code, 0);
  const env = { MODEL: TINY_FOLDERS.gen, THREADS: "1", FUNCTIONS: "tokenize" };
  await using a = await startServer(env);
  await using b = await startServer(env);
  await using killed = await startServer(env);
  const endpoints = [a, b, killed].map(({ url }) => url).join(",");
  const process = startPrepare(folder.path, [
    ...["data.json", "--out", "there", "--to", "parquet", "--shard-size", "7"],
    ...["--resize", "smart", "--endpoints", endpoints],
  ]);
  const journal = join(folder.path, "there/journal.jsonl");
  const begun = () =>
    Deno.stat(journal).then(({ size }) => size > 500, () => false);
  while (!await begun()) await new Promise((resolve) => setTimeout(resolve, 1));
  killed.process.kill("SIGKILL");
  const { code, stderr } = await process.output();
  strictEqual(code, 0, new TextDecoder().decode(stderr));
  const [here, there] = [
    await contentOf(folder.path, "here"),
    await contentOf(folder.path, "there"),
  ];
  deepStrictEqual(there, here);
  deepStrictEqual(
    await Deno.readFile(join(folder.path, "there/data-00003.parquet")),
    await Deno.readFile(join(folder.path, "here/data-00003.parquet")),
  );
});
