import { ok, rejects, strictEqual } from "node:assert/strict";
import { elementCount } from "../../../models/graph/dtype.ts";
import {
  EMBEDDING_KEY,
  HEAD_KEY,
  type TuningMethod,
} from "../../../lib/tuning/method.ts";
import { readSafetensors, type Tensor } from "../../support/safetensors.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";
import {
  accumulateAll,
  GOLDEN_METHODS,
  goldenSequences,
  openTuning,
} from "../../support/tuning_golden.ts";
import { safetensorsBytes } from "../../support/write_safetensors.ts";

/** Writes the tiny checkpoint with its embedding as head, stored or tied. */
function writeCheckpoint(folder: TemporaryFolder, tied: boolean): void {
  const source = tinyFolder("emu3-tiny");
  const tensors = new Map<string, Tensor>();
  for (const shard of ["00001-of-00002", "00002-of-00002"]) {
    const path = `${source}/model-${shard}.safetensors`;
    for (const [name, tensor] of readSafetensors(path)) {
      if (name !== HEAD_KEY) tensors.set(name, tensor);
    }
  }
  if (!tied) tensors.set(HEAD_KEY, tensors.get(EMBEDDING_KEY)!);
  folder.write("model.safetensors", safetensorsBytes(tensors));
  const config = JSON.parse(Deno.readTextFileSync(`${source}/config.json`));
  config["tie_word_embeddings"] = tied;
  folder.write("config.json", JSON.stringify(config));
}

/** An adapter that the head is trained beside. */
const WITH_HEAD = { ...GOLDEN_METHODS.lora, head: true } as TuningMethod;

/** Returns the loss and the gradients by name. */
async function gradientsOf(
  folder: string,
  method: TuningMethod = GOLDEN_METHODS.full,
) {
  await using opened = await openTuning(folder, method);
  const { parameters } = opened.model;
  const loss = await accumulateAll(opened.model, goldenSequences());
  const all = await parameters.vector("gradients").read();
  const byName = new Map(
    parameters.list.map(({ name, offset, shape }) => [
      name,
      all.slice(offset, offset + elementCount(shape)),
    ]),
  );
  return { loss, byName };
}

Deno.test("TuningModel adds the gradients of a head that is the embedding", async () => {
  using apart = temporaryFolder();
  using shared = temporaryFolder();
  writeCheckpoint(apart, false);
  writeCheckpoint(shared, true);
  const untied = await gradientsOf(apart.path);
  const tied = await gradientsOf(shared.path);
  ok(Math.abs(tied.loss - untied.loss) < 1e-6);
  strictEqual(tied.byName.has(HEAD_KEY), false);
  const head = untied.byName.get(HEAD_KEY)!;
  const embedding = untied.byName.get(EMBEDDING_KEY)!;
  const sum = tied.byName.get(EMBEDDING_KEY)!;
  const norm = Math.hypot(...sum);
  const error = Math.hypot(
    ...sum.map((value, i) => value - head[i]! - embedding[i]!),
  );
  ok(error < 1e-6 * norm, `${error} of ${norm}`);
});

Deno.test("TuningModel has the head's gradient of full tuning beside an adapter", async () => {
  // An adapter whose B is zero changes nothing.
  const silent = { ...WITH_HEAD, alpha: 1e-30 } as TuningMethod;
  const full = await gradientsOf("emu3-tiny");
  const beside = await gradientsOf("emu3-tiny", silent);
  ok(Math.abs(beside.loss - full.loss) < 1e-5);
  const expected = full.byName.get(HEAD_KEY)!;
  const head = beside.byName.get(HEAD_KEY)!;
  const norm = Math.hypot(...expected);
  const error = Math.hypot(...head.map((value, i) => value - expected[i]!));
  ok(error < 1e-5 * norm, `${error} of ${norm}`);
  strictEqual(beside.byName.has(EMBEDDING_KEY), false);
});

Deno.test("TuningModel does not train a head apart that is the embedding", async () => {
  using shared = temporaryFolder();
  writeCheckpoint(shared, true);
  await rejects(
    gradientsOf(shared.path, WITH_HEAD),
    /the head is the table of embeddings.*leave out --head/,
  );
});
