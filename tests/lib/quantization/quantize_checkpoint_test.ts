import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { CheckpointError, QuantizationError } from "../../../lib/errors.ts";
import {
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../../lib/loading/checkpoint.ts";
import { readSafetensorsHeader } from "../../../lib/loading/safetensors.ts";
import {
  quantizeCheckpoint,
  type QuantizeOptions,
  type QuantizeProgress,
} from "../../../lib/quantization/quantize_checkpoint.ts";
import { partialFolder } from "../../../lib/quantization/target_folder.ts";
import { changedFolder } from "../../support/changed_folder.ts";
import { dequantize } from "../../support/dequantize.ts";
import { LFS_POINTER } from "../../support/lfs_pointer.ts";
import {
  float32,
  readSafetensors,
  type Tensor,
} from "../../support/safetensors.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";
import { LANGUAGE_FOLDERS, tinyFolder } from "../../support/tiny.ts";
import { safetensorsBytes } from "../../support/write_safetensors.ts";

const options: QuantizeOptions = {
  precision: "int4",
  threads: 2,
  program: "test",
};
const smallChunks = { ...options, chunkBytes: 2048 };
const tiny = tinyFolder("emu3-tiny");

function quantized(
  source: string,
  target: string,
  how: QuantizeOptions = options,
): Promise<QuantizeProgress[]> {
  return Array.fromAsync(quantizeCheckpoint(source, target, how));
}

/** Returns every file of a folder, by name. */
async function contents(folder: string): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile) continue;
    const bytes = await Deno.readFile(join(folder, name));
    hashes.set(name, createHash("sha256").update(bytes).digest("hex"));
  }
  return new Map([...hashes].sort());
}

/** Returns every tensor of a checkpoint, in all its files. */
async function tensorsOf(folder: string): Promise<Map<string, Tensor>> {
  const files = await Array.fromAsync(Deno.readDir(folder));
  return new Map(
    files.filter(({ name }) => name.endsWith(".safetensors"))
      .flatMap(({ name }) => [...readSafetensors(join(folder, name))]),
  );
}

/** Writes a checkpoint of one file with the given tensors beside a layer's. */
function made(tensors: Record<string, Tensor>): TemporaryFolder {
  const folder = temporaryFolder();
  folder.write("config.json", "{}");
  const bytes = safetensorsBytes(new Map(Object.entries(tensors)));
  folder.write("model.safetensors", bytes);
  return folder;
}

const LAYER = "model.layers.0.mlp.up_proj.weight";
function layer(...first: number[]): Tensor {
  const data = new Float32Array(64);
  data.set(first);
  return { dtype: "F32", shape: [2, 32], data };
}

for (const name of LANGUAGE_FOLDERS) {
  for (
    const [precision, bits, most] of [["int8", 8, 0.01], [
      "int4",
      4,
      0.13,
    ]] as const
  ) {
    Deno.test(`quantizeCheckpoint() of ${name} to ${precision} stores each matrix within the rounding error`, async () => {
      using folder = temporaryFolder();
      const target = join(folder.path, "out");
      await quantized(tinyFolder(name), target, { ...options, precision });
      const before = await tensorsOf(tinyFolder(name));
      const after = await tensorsOf(target);
      let matrices = 0;
      for (const [key, { data }] of before) {
        const packed = after.get(`${key}_packed`);
        if (packed === undefined) {
          if (!key.includes("embed_tokens")) {
            deepStrictEqual(after.get(key)!.data, data, key);
          }
          continue;
        }
        matrices++;
        const codes = new Uint8Array(packed.data.buffer);
        const back = dequantize(codes, float32(after, `${key}_scale`), bits);
        const original = float32(before, key);
        let error = 0;
        let size = 0;
        for (const [i, x] of original.entries()) {
          error += (back[i]! - x) ** 2;
          size += x * x;
        }
        ok(Math.sqrt(error / size) < most, `${key}: ${error / size}`);
      }
      strictEqual(matrices, 15); // seven of each layer, and the head
    });
  }
}

Deno.test("quantizeCheckpoint() writes a checkpoint that opens, with its bits", async () => {
  using folder = temporaryFolder();
  for (const [precision, bits] of [["int8", 8], ["int4", 4]] as const) {
    const target = join(folder.path, precision);
    await quantized(tiny, target, { ...options, precision });
    strictEqual((await openLanguageCheckpoint(target)).codeBits, bits);
  }
  strictEqual((await openLanguageCheckpoint(tiny)).codeBits, undefined);
});

Deno.test("quantizeCheckpoint() records the origin of the weights", async () => {
  using folder = temporaryFolder();
  const commit = "0123abcd";
  const cached = join(folder.path, "models--org--Name/snapshots", commit);
  await Deno.mkdir(join(cached, ".."), { recursive: true });
  await Deno.symlink(tiny, cached);
  const target = join(folder.path, "out");
  await quantized(cached, target);
  const { metadata } = await readSafetensorsHeader(
    join(target, "model.safetensors"),
  );
  const files = await contents(tiny);
  const { source_sha256: hashes, ...rest } = metadata;
  deepStrictEqual(
    JSON.parse(hashes!),
    Object.fromEntries(
      [...files].filter(([name]) => name.endsWith(".safetensors")),
    ),
  );
  strictEqual(rest["source"], "Name");
  strictEqual(rest["source_revision"], commit);
  strictEqual(rest["precision"], "int4");
  strictEqual(rest["program"], "test");
});

Deno.test("quantizeCheckpoint() copies the files beside the weights", async () => {
  using folder = temporaryFolder();
  const target = join(folder.path, "out");
  await quantized(tiny, target);
  const before = await contents(tiny);
  const after = await contents(target);
  for (const [name, hash] of before) {
    if (/safetensors|^config\.json$/.test(name)) continue;
    strictEqual(after.get(name), hash, name);
  }
  ok(!after.has("model.safetensors.index.json"));
});

Deno.test("quantizeCheckpoint() writes into a folder of the source, which is not copied into itself", async () => {
  using source = changedFolder(tiny, { "notes/read.txt": "copied" });
  const target = join(source.path, "int4");
  await quantized(source.path, target);
  await openLanguageCheckpoint(target);
  const names = (await Array.fromAsync(Deno.readDir(target)))
    .map(({ name }) => name);
  ok(names.includes("notes"));
  ok(!names.some((name) => name.startsWith("int4")), `${names}`);
});

Deno.test("quantizeCheckpoint() writes the same bytes in many chunks and threads as in few", async () => {
  using folder = temporaryFolder();
  const [one, many] = ["one", "many"].map((name) => join(folder.path, name));
  await quantized(tiny, one!, { ...options, threads: 1 });
  await quantized(tiny, many!, { ...smallChunks, threads: 3 });
  deepStrictEqual(await contents(many!), await contents(one!));
});

Deno.test("quantizeCheckpoint() resumes after a kill, and writes the same bytes", async () => {
  using folder = temporaryFolder();
  const [killed, whole] = ["killed", "whole"]
    .map((name) => join(folder.path, name));
  const script = new URL("../../support/kill_quantize.ts", import.meta.url);
  const { signal } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", script.pathname, tiny, killed!],
  }).output();
  strictEqual(signal, "SIGKILL");
  await rejects(openLanguageCheckpoint(killed!), CheckpointError);
  const [first] = await quantized(tiny, killed!, smallChunks);
  const { doneBytes, totalBytes } = first!;
  ok(doneBytes > totalBytes / 10, `${doneBytes} of ${totalBytes}`);
  await quantized(tiny, whole!, smallChunks);
  deepStrictEqual(await contents(killed!), await contents(whole!));
});

Deno.test("quantizeCheckpoint() starts over when the source has changed meanwhile", async () => {
  using folder = temporaryFolder();
  using source = made({ [LAYER]: layer(1), other: layer(2) });
  const [target, fresh] = ["out", "fresh"]
    .map((name) => join(folder.path, name));
  const chunks = { ...options, chunkBytes: 128 };
  for await (const _ of quantizeCheckpoint(source.path, target!, chunks)) break;
  using changed = made({ [LAYER]: layer(3), other: layer(2), third: layer() });
  await Deno.copyFile(
    join(changed.path, "model.safetensors"),
    join(source.path, "model.safetensors"),
  );
  await quantized(source.path, target!, chunks);
  await quantized(source.path, fresh!, chunks);
  deepStrictEqual(await contents(target!), await contents(fresh!));
});

Deno.test("quantizeCheckpoint() refuses a source that changes while it is read", async () => {
  using folder = temporaryFolder();
  using source = made({ [LAYER]: layer(1) });
  const target = join(folder.path, "out");
  const file = join(source.path, "model.safetensors");
  const run = quantizeCheckpoint(source.path, target, options);
  await run.next();
  await Deno.utime(file, new Date(0), new Date(1_000_000));
  await rejects(Array.fromAsync(run), /it changed while it was read/);
  await rejects(Deno.stat(target), Deno.errors.NotFound);
});

Deno.test("quantizeCheckpoint() refuses a target that exists or is being written, or is not its own", async () => {
  using folder = temporaryFolder();
  const target = join(folder.path, "out");
  await rejects(quantized(tiny, folder.path), /it already exists/);
  const first = quantizeCheckpoint(tiny, target, options);
  await first.next();
  await rejects(
    quantized(tiny, target),
    /another process is writing to it; wait for it to finish/,
  );
  await first.return(undefined);
  const foreign = join(folder.path, "foreign");
  await Deno.mkdir(partialFolder(foreign));
  await Deno.writeTextFile(join(partialFolder(foreign), "mine.txt"), "mine");
  await rejects(quantized(tiny, foreign), /it contains other files/);
});

Deno.test("quantizeCheckpoint() refuses a quantized source, and one without layers", async () => {
  using folder = temporaryFolder();
  const once = join(folder.path, "once");
  await quantized(tiny, once);
  const twice = join(folder.path, "twice");
  await rejects(quantized(once, twice), /it is already quantized/);
  const vision = tinyFolder("emu3-tiny-visiontokenizer");
  await rejects(quantized(vision, twice), /it has no layers/);
  await rejects(quantized(folder.path, twice), CheckpointError);
});

Deno.test("quantizeCheckpoint() names the tensor whose weights are not finite", async () => {
  using folder = temporaryFolder();
  using source = made({ [LAYER]: layer(1, NaN) });
  await rejects(quantized(source.path, join(folder.path, "out")), (error) => {
    ok(error instanceof QuantizationError);
    ok(error.message.includes(`"${LAYER}"`), error.message);
    return true;
  });
});

Deno.test("quantizeCheckpoint() reports that the system refuses to write", async () => {
  using folder = temporaryFolder();
  const file = folder.write("file", "no folder");
  await rejects(quantized(tiny, join(file, "out")), (error) => {
    ok(error instanceof QuantizationError, String(error));
    ok(/run the command again/.test(error.message), error.message);
    return true;
  });
});

Deno.test("quantizeCheckpoint() copies the image processor in either file, which is read the same", async () => {
  const settings = { "min_pixels": 64, "max_pixels": 128 };
  const source = tinyFolder("emu3-tiny-hf");
  using saved = changedFolder(source, {
    "processor_config.json": JSON.stringify({ "image_processor": settings }),
    "preprocessor_config.json": undefined,
  });
  using target = temporaryFolder();
  for (const folder of [saved.path, source]) {
    const copy = join(target.path, folder === source ? "older" : "newer");
    await quantized(folder, copy);
    const { preprocessor, preprocessorFiles } = await openVisionCheckpoint(
      folder,
    );
    const copied = await openVisionCheckpoint(copy);
    deepStrictEqual(copied.preprocessor, preprocessor);
    deepStrictEqual(copied.preprocessorFiles, preprocessorFiles);
  }
});

for (const name of ["tokenizer.json", "model.safetensors", "config.json"]) {
  Deno.test(`quantizeCheckpoint() names a Git LFS pointer in place of ${name} before it writes anything`, async () => {
    using source = changedFolder(tinyFolder("emu3-tiny-hf"), {
      [name]: LFS_POINTER,
    });
    using target = temporaryFolder();
    await rejects(
      quantized(source.path, join(target.path, "copy")),
      (error) =>
        error instanceof CheckpointError &&
        error.file === join(source.path, name) &&
        /Git LFS pointer/.test(error.message),
    );
    const written = await Array.fromAsync(Deno.readDir(target.path));
    deepStrictEqual(written, []);
  });
}

Deno.test("quantizeCheckpoint() refuses a file beside the weights that changes meanwhile", async () => {
  using source = changedFolder(tinyFolder("emu3-tiny-hf"), {
    "generation_config.json": "{}",
  });
  using target = temporaryFolder();
  const copy = join(target.path, "copy");
  await rejects(async () => {
    for await (const _ of quantizeCheckpoint(source.path, copy, options)) {
      source.write("generation_config.json", '{"top_k": 7}');
    }
  }, /files beside its weights changed while they were read; run it again/);
  // Finished work stays for the next run.
  await quantized(source.path, copy);
  strictEqual((await openLanguageCheckpoint(copy)).generation.topK, 7);
});
