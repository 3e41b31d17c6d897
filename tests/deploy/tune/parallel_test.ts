import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { join } from "node:path";
import { fittingPlan } from "../../../deploy/tune/fitting_plan.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import type { Runtime } from "../../../lib/runtime/runtime.ts";
import { defaultSettings } from "../../../lib/tuning/settings.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";
import { metricsOf, SHORT, tuned } from "../../support/tuned.ts";

const THREADS = { threads: 2 };

/** Returns the settings that a run stored. */
async function settingsOf(out: string) {
  return JSON.parse(await Deno.readTextFile(join(out, "tune.json")));
}

async function adapterOf(out: string) {
  return await Deno.readFile(join(out, "adapter_model.safetensors"));
}

Deno.test("tune computes records side by side on as many threads, with the bits of --parallel", async () => {
  using folder = temporaryFolder();
  const [two, named] = [join(folder.path, "two"), join(folder.path, "named")];
  const notes = await tuned(two, SHORT, THREADS);
  match(notes, /"event":"plan".*"parallel":2/);
  strictEqual((await settingsOf(two)).parallel, 2);
  // Each has a thread, so that the number of all does not matter.
  await tuned(named, [...SHORT, "--parallel", "2"]);
  deepStrictEqual(await adapterOf(named), await adapterOf(two));
});

Deno.test("tune computes one record after the other if a step has fewer than threads, or the memory is small", async () => {
  using folder = temporaryFolder();
  const few = join(folder.path, "few");
  match(await tuned(few, SHORT, { threads: 3 }), /"parallel":1/);
  strictEqual((await settingsOf(few)).parallel, undefined);
  const plan = (notes: string) => JSON.parse(notes.split("\n")[0]!);
  const most = plan(await tuned(join(folder.path, "most"), SHORT, THREADS));
  const small = plan(
    await tuned(join(folder.path, "small"), SHORT, {
      ...THREADS,
      availableBytes: most.totalBytes - 1,
    }),
  );
  strictEqual(small.parallel, 1);
  deepStrictEqual([small.keeps, most.keeps], [true, true]);
});

Deno.test("tune resumes records side by side with bit-equal results, and no other number of them", async () => {
  using folder = temporaryFolder();
  const [whole, cut] = [join(folder.path, "whole"), join(folder.path, "cut")];
  const words = [...SHORT, "--held-out", "3", "--evaluate-every", "2"];
  await tuned(whole, words, THREADS);
  await tuned(cut, words, { ...THREADS, stopAfter: 3 });
  await rejects(
    tuned(cut, words),
    /a run with "parallel" 2, this one has nothing: use the same settings/,
  );
  await tuned(cut, [...words, "--parallel", "2"]);
  const losses = async (out: string) =>
    (await metricsOf(out)).map(({ loss, held_out_loss }) => [
      loss,
      held_out_loss,
    ]);
  deepStrictEqual(await losses(cut), await losses(whole));
  deepStrictEqual(await adapterOf(cut), await adapterOf(whole));
});

Deno.test("tune names --parallel where the memory is too small for it", async () => {
  using folder = temporaryFolder();
  await rejects(
    tuned(join(folder.path, "a"), [...SHORT, "--parallel", "2"], {
      availableBytes: 1000,
    }),
    /or lower --parallel, for a new run, or lower --max-tokens/,
  );
});

Deno.test("fittingPlan runs one record after the other on a device, and says so of --parallel", async () => {
  const base = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
  const room = {
    runtime: {
      threads: 2,
      device: {},
      provider: { computeDtype: "float32" },
    } as unknown as Runtime,
    availableBytes: 2 ** 40,
    write: () => {},
    terminal: false,
  };
  const settings = { ...defaultSettings("lora"), maxTokens: 100 };
  const plan = (parallel: number | undefined) =>
    fittingPlan(base, { ...settings, parallel }, false, room);
  strictEqual(plan(undefined).parallel, 1);
  throws(() => plan(2), /leave out --parallel, or use DEVICE=cpu/);
});
