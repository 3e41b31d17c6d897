/** The adapters of a hub: downloaded, verified and cached as models are. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { isModel, SourceError } from "../../../deploy/cache/locate.ts";
import { obtain } from "../../../deploy/cache/obtain.ts";
import {
  decisiveFile,
  isAdapter,
} from "../../../deploy/cache/snapshots/required_files.ts";
import { whatLacks } from "../../../deploy/cache/snapshots/snapshot_check.ts";
import { cachedModels } from "../../../deploy/models/cached_models.ts";
import { filesOf } from "../../support/folder_model.ts";
import { goldenPath } from "../../support/golden.ts";
import {
  type HubModel,
  hubServer,
  REPOSITORY,
} from "../../support/hub_server.ts";
import { obtainOptions } from "../../support/obtain_options.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const OWN = ["adapter_config.json", "adapter_model.safetensors"];

const FILES = await filesOf(goldenPath("adapters/plain"));

/** Returns the repository of an adapter, with other files beside it. */
function adapterModel(
  others: Readonly<Record<string, string>> = {},
  without?: string,
): HubModel {
  const files = new Map(FILES);
  for (const [path, text] of Object.entries(others)) {
    files.set(path, new TextEncoder().encode(text));
  }
  if (without !== undefined) files.delete(without);
  return { commit: "a".repeat(40), files };
}

Deno.test("obtain() downloads the files of an adapter alone, once", async () => {
  using cache = temporaryFolder();
  const version = adapterModel({
    "README.md": "an adapter",
    "config.json": "{}",
    "checkpoints/step-000500.safetensors": "state",
  });
  await using hub = hubServer({ versions: [version] });
  const options = obtainOptions(cache.path, hub.endpoint);
  const folder = await obtain(REPOSITORY, options);
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  deepStrictEqual(names.sort(), OWN);
  for (const name of OWN) {
    deepStrictEqual(await Deno.readFile(join(folder, name)), FILES.get(name));
  }
  const requests = hub.seen.length;
  strictEqual(await obtain(`hf://${REPOSITORY}@main`, options), folder);
  strictEqual(hub.seen.length, requests, "a warm start asks nobody");
  strictEqual(await obtain(folder, options), folder);
  const [cached] = await cachedModels([cache.path]);
  strictEqual(cached?.revisions[0]?.complete, true);
});

Deno.test("obtain() downloads an adapter again whose files have changed", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [adapterModel()] });
  const options = obtainOptions(cache.path, hub.endpoint, {}, true);
  const folder = await obtain(REPOSITORY, options);
  const path = join(folder, OWN[1]!);
  const bytes = FILES.get(OWN[1]!)!.slice();
  bytes[bytes.length - 1]! ^= 1;
  await Deno.writeFile(path, bytes);
  strictEqual(await obtain(REPOSITORY, options), folder);
  deepStrictEqual(await Deno.readFile(path), FILES.get(OWN[1]!));
});

Deno.test("obtain() names the file that an adapter lacks", async () => {
  using cache = temporaryFolder();
  for (
    const [version, reason] of [
      [
        adapterModel({ "adapter_model.bin": "pickle" }, OWN[1]),
        /its adapter has no adapter_model\.safetensors; save it again with PEFT/,
      ],
      [
        adapterModel({}, OWN[0]),
        /no config\.json, so it is not a checkpoint, and no adapter_config\.json/,
      ],
    ] as const
  ) {
    await using hub = hubServer({ versions: [version] });
    const options = obtainOptions(cache.path, hub.endpoint);
    await rejects(obtain(REPOSITORY, options), (error) => {
      strictEqual(error instanceof SourceError, true);
      strictEqual(reason.test(`${error}`), true, `${error}`);
      return true;
    });
  }
});

Deno.test("a folder is an adapter's if no weights of a model are in it", async () => {
  const model = ["config.json", "model.safetensors"];
  deepStrictEqual(
    [OWN, [...OWN, "config.json"], [...OWN, ...model], model, []].map(
      isAdapter,
    ),
    [true, true, false, false, false],
  );
  deepStrictEqual(
    [[...OWN, ...model], [...OWN, "config.json"], ["a.txt"]].map(decisiveFile),
    ["config.json", "adapter_config.json", undefined],
  );
  using folder = temporaryFolder();
  strictEqual(await isModel(folder.path), false);
  folder.write("adapter_config.json", "{}");
  strictEqual(await isModel(folder.path), true);
  strictEqual(await whatLacks(folder.path), "lacks adapter_model.safetensors");
});
