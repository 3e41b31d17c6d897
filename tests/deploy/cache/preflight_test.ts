import { ok, rejects, strictEqual } from "node:assert/strict";
import { preflightVision } from "../../../deploy/cache/preflight.ts";
import { CheckpointError } from "../../../lib/errors.ts";
import {
  type HubModel,
  hubServer,
  REPOSITORY,
} from "../../support/hub_server.ts";
import { obtainOptions } from "../../support/obtain_options.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { hubModel } from "../../support/tiny_hub_model.ts";

function modelWith(config: string): HubModel {
  const { commit, files } = hubModel(1);
  const bytes = new TextEncoder().encode(config);
  return { commit, files: new Map([...files, ["config.json", bytes]]) };
}

/**
 * Runs the check against a hub; returns the bytes of weights that it requested.
 */
async function preflight(
  config: string,
  beside?: string,
): Promise<{ weights: number; requests: number }> {
  using cache = temporaryFolder();
  if (beside !== undefined) {
    const commit = "a".repeat(40);
    await Deno.mkdir(`${cache.path}/${beside}/snapshots/${commit}`, {
      recursive: true,
    });
    await Deno.mkdir(`${cache.path}/${beside}/refs`);
    await Deno.writeTextFile(`${cache.path}/${beside}/refs/main`, commit);
  }
  await using hub = hubServer({ versions: [modelWith(config)] });
  await preflightVision(REPOSITORY, obtainOptions(cache.path, hub.endpoint));
  const weights = hub.seen.filter(({ path }) => path.includes("safetensors"));
  return { weights: weights.length, requests: hub.seen.length };
}

Deno.test("preflightVision() rejects a model that will have no vision tokenizer", async () => {
  await rejects(
    preflight('{"vocab_size": 1}'),
    (error) =>
      error instanceof CheckpointError &&
      /^Cannot open org\/tiny: .*set VISION_MODEL/.test(error.message),
  );
  await rejects(
    preflight('{"vocab_size": 1}', "models--org--other"),
    CheckpointError,
  );
});

Deno.test("preflightVision() accepts a model that has one, or will have one beside it", async () => {
  const own = await preflight('{"text_config": {}, "vq_config": {}}');
  ok(own.requests > 0);
  strictEqual(own.weights, 0);
  await preflight("{}", "models--org--tiny-VisionTokenizer");
});

Deno.test("preflightVision() passes an unreadable configuration", async () => {
  await preflight("not JSON");
  using cache = temporaryFolder();
  const options = obtainOptions(cache.path, "http://127.0.0.1:1");
  await preflightVision("org/none", options);
  await preflightVision("./nowhere", options);
  await preflightVision("org/none", {
    ...options,
    places: { modelFolders: [], hubCaches: [] },
  });
});

Deno.test("preflightVision() sends no request about a local model", async () => {
  using cache = temporaryFolder();
  await Deno.writeTextFile(`${cache.path}/config.json`, "{}");
  await using hub = hubServer({ versions: [modelWith("{}")] });
  await preflightVision(cache.path, obtainOptions(cache.path, hub.endpoint));
  strictEqual(hub.seen.length, 0);
});
