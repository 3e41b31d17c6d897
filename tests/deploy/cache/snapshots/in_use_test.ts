/**
 * The tests of locks on models: a model in use is not removed, and a removed
 * one is not used.
 *
 * @module
 */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { takeLock } from "../../../../deploy/cache/snapshots/cache_lock.ts";
import { inUsePath } from "../../../../deploy/cache/snapshots/hub_layout.ts";
import { obtainForUse } from "../../../../deploy/cache/snapshots/in_use.ts";
import { whatLacks } from "../../../../deploy/cache/snapshots/snapshot_check.ts";
import { parseArguments } from "../../../../deploy/models/arguments.ts";
import { cachedModels } from "../../../../deploy/models/cached_models.ts";
import { prune } from "../../../../deploy/models/prune.ts";
import { hubServer, REPOSITORY } from "../../../support/hub_server.ts";
import { obtainOptions } from "../../../support/obtain_options.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";
import { hubModel } from "../../../support/tiny_hub_model.ts";
import { captureReport } from "../../../support/captured_report.ts";

const model = hubModel(9);
const LATER = Date.now() + 10 * 24 * 3_600_000;

/** Prunes models unread for an hour, ten days from now; returns the events. */
async function pruned(cache: string): Promise<unknown[]> {
  const asked = parseArguments(["prune", "--older-than", "1h"]);
  if (asked.command !== "prune") throw new TypeError("expected prune");
  const { report, lines } = captureReport();
  await prune([cache], asked, report, LATER);
  return lines.map(({ event }) => event);
}

Deno.test("prune() keeps a model in use, until the last user has released it", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const options = obtainOptions(cache.path, hub.endpoint);
  const first = await obtainForUse(REPOSITORY, options);
  const second = await obtainForUse(REPOSITORY, options);
  strictEqual(first.folder, second.folder);
  deepStrictEqual(await pruned(cache.path), ["in-use", "done"]);
  first[Symbol.dispose]();
  deepStrictEqual(await pruned(cache.path), ["in-use", "done"]);
  strictEqual(await whatLacks(second.folder), undefined);
  second[Symbol.dispose]();
  deepStrictEqual(await pruned(cache.path), ["pruned", "done"]);
  deepStrictEqual(await cachedModels([cache.path]), []);
});

Deno.test("obtainForUse() obtains a model again that was removed before its lock", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const options = obtainOptions(cache.path, hub.endpoint);
  (await obtainForUse(REPOSITORY, options))[Symbol.dispose]();
  const repository = "models--org--tiny";
  const path = inUsePath(cache.path, repository);
  const remover = await takeLock(path, options.signal, () => {});
  const waits = Promise.withResolvers<void>();
  const obtained = obtainForUse(REPOSITORY, {
    ...options,
    onProgress: ({ phase }) => phase === "wait" && waits.resolve(),
  });
  await waits.promise;
  await Deno.remove(join(cache.path, repository), { recursive: true });
  remover[Symbol.dispose]();
  using held = await obtained;
  strictEqual(await whatLacks(held.folder), undefined);
});

Deno.test("obtainForUse() stops on abort during the wait for a removal", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const options = obtainOptions(cache.path, hub.endpoint);
  (await obtainForUse(REPOSITORY, options))[Symbol.dispose]();
  const path = inUsePath(cache.path, "models--org--tiny");
  using _remover = await takeLock(path, options.signal, () => {});
  const stop = new AbortController();
  const waiting = obtainForUse(REPOSITORY, {
    ...options,
    onProgress: () => stop.abort(new Error("enough")),
    signal: stop.signal,
  });
  await rejects(waiting, /enough/);
});

Deno.test("obtainForUse() locks neither a plain folder nor a read-only cache", async () => {
  using cache = temporaryFolder();
  cache.write("model/config.json", "{}");
  const options = obtainOptions(cache.path, "unused:");
  const folder = join(cache.path, "model");
  using plain = await obtainForUse(folder, options);
  strictEqual(plain.folder, folder);
  const snapshot = join(cache.path, "models--a--b/snapshots/c");
  cache.write("models--a--b/snapshots/c/config.json", "{}");
  // A file where the folder of locks would be.
  cache.write(".locks", "");
  using read = await obtainForUse(snapshot, options);
  strictEqual(read.folder, snapshot);
});
