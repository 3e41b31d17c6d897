import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { manifestText } from "../../../deploy/cache/manifest/manifest.ts";
import { verify } from "../../../deploy/models/verify.ts";
import { putRevision } from "../../support/hub_folder.ts";
import { CONFIG, NEVER, publicationOf } from "../../support/publish_tree.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { captureReport } from "../../support/captured_report.ts";

async function verified(folder: string, unknownPasses = false) {
  const { report, lines } = captureReport();
  const suspects = [{ name: "m", folder }];
  const options = { threads: 2, signal: NEVER, unknownPasses };
  const good = await verify(suspects, report, options);
  return { good, told: lines.filter(({ event }) => event !== "progress") };
}

Deno.test("verify() compares a snapshot with the names of its blobs, SHA-256 and Git's", async () => {
  for (const victim of ["config.json", "model.safetensors", undefined]) {
    using cache = temporaryFolder();
    putRevision(cache, "models--a--b", "c", { refs: ["main"] });
    const folder = join(cache.path, "models--a--b/snapshots/c");
    if (victim !== undefined) {
      await Deno.writeTextFile(join(folder, victim), "?");
    }
    const { good, told } = await verified(folder);
    strictEqual(good, victim === undefined);
    strictEqual(told.at(-1)!["bad"], victim === undefined ? 0 : 1);
    if (victim === undefined) continue;
    strictEqual(told[0]!["path"], victim);
    match(String(told[0]!["file"]), /models--a--b\/blobs\/[0-9a-f]{40,64}$/);
    match(String(told[0]!["remedy"]), /^remove .*\/blobs\/.* pull or copy/);
  }
});

Deno.test("verify() compares a folder with its manifest: changed, truncated and missing files", async () => {
  const damages: ((path: string) => void)[] = [
    (path) => Deno.writeFileSync(path, new Uint8Array(350).fill(1, 349)),
    (path) => Deno.truncateSync(path, 349),
    (path) => Deno.removeSync(path),
  ];
  for (const damage of [undefined, ...damages]) {
    using folder = temporaryFolder();
    const tree = { "config.json": CONFIG, "deep/w": new Uint8Array(350) };
    const { manifest } = await publicationOf(folder, tree);
    folder.write("manifest.json", manifestText(manifest));
    damage?.(join(folder.path, "deep/w"));
    const { good, told } = await verified(folder.path);
    strictEqual(good, damage === undefined);
    strictEqual(told.at(-1)!["good"], damage === undefined ? 2 : 1);
  }
});

Deno.test("verify() fails a model without any known hash, unless it is allowed", async () => {
  using folder = temporaryFolder();
  folder.write("config.json", "{}");
  const { good, told } = await verified(folder.path);
  strictEqual(good, false);
  strictEqual(told.at(-1)!["unchecked"], 1);
  strictEqual((await verified(folder.path, true)).good, true);
});

Deno.test("verify() reports an invalid manifest", async () => {
  using folder = temporaryFolder();
  folder.write("manifest.json", '{"version": 1');
  const { good, told } = await verified(folder.path);
  strictEqual(good, false);
  match(String(told[0]!["reason"]), /not JSON, or is truncated/);
  deepStrictEqual(told.length, 1);
});
