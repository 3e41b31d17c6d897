/**
 * The tests of planted links and files in a cache: nothing outside of the cache
 * changes, whatever the result of the download.
 *
 * @module
 */

import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { dirname, join } from "node:path";
import { DiskError } from "../../../../deploy/cache/base/disk.ts";
import { obtain } from "../../../../deploy/cache/obtain.ts";
import { prune } from "../../../../deploy/models/prune.ts";
import { Report } from "../../../../deploy/models/report.ts";
import {
  gitHashOf,
  hubServer,
  REPOSITORY,
  sha256Of,
} from "../../../support/hub_server.ts";
import { obtainOptions } from "../../../support/obtain_options.ts";
import { everythingIn } from "../../../support/sqlite_files.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";
import { hubModel } from "../../../support/tiny_hub_model.ts";

const MODEL = hubModel(1);
const FOLDER = "models--org--tiny";
const large = sha256Of(MODEL.files.get("model-00001-of-00002.safetensors")!);
const small = gitHashOf(MODEL.files.get("emu3.tiktoken")!);

/** Files that a download writes into. */
const WRITTEN = [
  `${FOLDER}/blobs/${large}.emu3.incomplete`,
  `${FOLDER}/blobs/${large}.emu3.journal`,
  `${FOLDER}/blobs/${small}.emu3.incomplete`,
  `.locks/${FOLDER}/emu3.lock`,
];

/** Names that a download gives to files; a link there is replaced. */
const RENAMED = [
  `${FOLDER}/blobs/${large}`,
  `${FOLDER}/refs/main`,
  `${FOLDER}/.emu3/${MODEL.commit}.json`,
  `${FOLDER}/.emu3/${MODEL.commit}.incomplete`,
];

/** Folders that a download writes into. */
const FOLDERS = [
  FOLDER,
  `${FOLDER}/blobs`,
  `${FOLDER}/refs`,
  `${FOLDER}/snapshots`,
  `${FOLDER}/snapshots/${MODEL.commit}`,
  `${FOLDER}/.emu3`,
  ".locks",
  `.locks/${FOLDER}`,
];

/** The kinds of planted entries. */
const PLANTED: Readonly<
  Record<string, (path: string, victim: string) => void>
> = {
  "a link to a file": (path, victim) => Deno.symlinkSync(victim, path),
  "a link to nothing": (path, victim) =>
    Deno.symlinkSync(`${victim}.new`, path),
  "a link to itself": (path) => Deno.symlinkSync(path, path),
  "a pipe": (path) => {
    new Deno.Command("mkfifo", { args: [path] }).outputSync();
  },
};

Deno.test({
  name:
    "obtain() refuses a planted entry in the path of its writes, and does not follow it",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using hub = hubServer({ versions: [MODEL] });
    for (const place of WRITTEN) {
      for (const plant of Object.values(PLANTED)) {
        using cache = temporaryFolder();
        using elsewhere = temporaryFolder();
        const victim = elsewhere.write("victim", "precious");
        const before = everythingIn(elsewhere.path);
        const path = join(cache.path, place);
        await Deno.mkdir(dirname(path), { recursive: true });
        plant(path, victim);
        await rejects(
          obtain(REPOSITORY, obtainOptions(cache.path, hub.endpoint)),
          (error) => {
            ok(error instanceof DiskError, String(error));
            match(error.message, /^Cannot write .* is a .*; remove it$/);
            ok(error.message.includes(path));
            return true;
          },
        );
        deepStrictEqual(everythingIn(elsewhere.path), before);
      }
    }
  },
});

Deno.test({
  name: "obtain() replaces a link that has the name of a new file",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using hub = hubServer({ versions: [MODEL] });
    for (const place of RENAMED) {
      using cache = temporaryFolder();
      using elsewhere = temporaryFolder();
      const victim = elsewhere.write("victim", "precious");
      const before = everythingIn(elsewhere.path);
      const path = join(cache.path, place);
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.symlink(victim, path);
      const options = obtainOptions(cache.path, hub.endpoint);
      const folder = await obtain(REPOSITORY, options);
      ok((await Deno.readTextFile(join(folder, "config.json"))).length > 0);
      deepStrictEqual(everythingIn(elsewhere.path), before);
    }
  },
});

Deno.test({
  name:
    "obtain() and prune() neither fill nor empty a folder that leads out of the cache",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using hub = hubServer({ versions: [MODEL] });
    for (const place of FOLDERS) {
      using cache = temporaryFolder();
      using elsewhere = temporaryFolder();
      elsewhere.write("victim", "precious");
      elsewhere.write("victim.lock", "precious");
      const before = everythingIn(elsewhere.path);
      const path = join(cache.path, place);
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.mkdir(join(cache.path, FOLDER, "refs"), { recursive: true });
      if (place === FOLDER) await Deno.remove(path, { recursive: true });
      else await Deno.remove(path).catch(() => {});
      await Deno.symlink(elsewhere.path, path);
      const report = new Report({
        terminal: false,
        write: () => {},
        now: () => 0,
      });
      const all = {
        command: "prune",
        keep: [],
        olderThanMs: 0,
        partial: false,
        dryRun: false,
      } as const;
      await prune([cache.path], all, report, Date.now() + 60_000);
      deepStrictEqual(everythingIn(elsewhere.path), before, place);
      if (await Deno.lstat(path).then((it) => it.isSymlink, () => false)) {
        await rejects(
          obtain(REPOSITORY, obtainOptions(cache.path, hub.endpoint)),
          /is a link to a file outside .*; remove it$/,
        );
      }
      deepStrictEqual(everythingIn(elsewhere.path), before, place);
    }
  },
});

Deno.test({
  name: "obtain() accepts a cache that is a link itself",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using hub = hubServer({ versions: [MODEL] });
    using real = temporaryFolder();
    using folder = temporaryFolder();
    const cache = folder.link("cache", real.path);
    const options = obtainOptions(cache, hub.endpoint);
    const found = await obtain(REPOSITORY, options);
    strictEqual(await obtain(REPOSITORY, options), found);
    ok(found.startsWith(cache));
  },
});

Deno.test({
  name: "obtain() downloads a snapshot again that has a link out of its blobs",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using hub = hubServer({ versions: [MODEL] });
    using cache = temporaryFolder();
    using elsewhere = temporaryFolder();
    const options = obtainOptions(cache.path, hub.endpoint);
    const folder = await obtain(REPOSITORY, options);
    for (const name of ["emu3.tiktoken", "more.json"]) {
      const victim = elsewhere.write("secret", "precious");
      await Deno.remove(join(folder, name)).catch(() => {});
      await Deno.symlink(victim, join(folder, name));
      const { downloads: _, ...places } = options.places;
      await rejects(
        obtain(REPOSITORY, { ...options, places }),
        /has ".*", a link to a target outside its blobs/,
      );
      if (name !== "more.json") await obtain(REPOSITORY, options);
    }
  },
});
