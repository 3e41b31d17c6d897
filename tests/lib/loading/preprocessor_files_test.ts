import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { parseVisionConfig } from "../../../models/config/vision_config.ts";
import { CheckpointError } from "../../../lib/errors.ts";
import { openVisionCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { findPreprocessor } from "../../../lib/loading/preprocessor_files.ts";
import { changedFolder } from "../../support/changed_folder.ts";
import { goldenPath } from "../../support/golden.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const MODEL = parseVisionConfig({});
const NEWER = "processor_config.json";
const OLDER = "preprocessor_config.json";

/** The settings in the form of transformers 5. */
const SAVED_BY_5 = {
  "image_processor": {
    "do_convert_rgb": true,
    "do_normalize": true,
    "do_rescale": true,
    "do_resize": true,
    "image_mean": [0.48, 0.45, 0.4],
    "image_processor_type": "Emu3ImageProcessor",
    "image_std": [0.26, 0.26, 0.27],
    "max_pixels": 4096,
    "min_pixels": 1024,
    resample: 3,
    "rescale_factor": 0.00392156862745098,
    size: { "max_pixels": 4096, "min_pixels": 1024 },
    "spatial_factor": 8,
  },
  "processor_class": "Emu3Processor",
};

async function found(files: Record<string, unknown>) {
  using folder = temporaryFolder();
  for (const [name, json] of Object.entries(files)) {
    folder.write(name, JSON.stringify(json));
  }
  return await findPreprocessor(folder.path, MODEL);
}

Deno.test("findPreprocessor() reads the image processor inside processor_config.json", async () => {
  deepStrictEqual(await found({ [NEWER]: SAVED_BY_5 }), {
    preprocessor: {
      minPixels: 1024,
      maxPixels: 4096,
      spatialFactor: 8,
      rescaleFactor: 1 / 255,
      mean: [0.48, 0.45, 0.4],
      std: [0.26, 0.26, 0.27],
    },
    files: [NEWER],
  });
});

Deno.test("findPreprocessor() takes the newer file's settings, and the older one's for omitted fields", async () => {
  const older = {
    "min_pixels": 64,
    "max_pixels": 128,
    "image_mean": [0.1, 0.2, 0.3],
  };
  const newer = {
    "image_processor": { "min_pixels": 1024, "max_pixels": 4096 },
  };
  const { preprocessor, files } = await found({
    [NEWER]: newer,
    [OLDER]: older,
  });
  deepStrictEqual(
    [preprocessor.minPixels, preprocessor.maxPixels, preprocessor.mean],
    [1024, 4096, [0.1, 0.2, 0.3]],
  );
  deepStrictEqual(files, [NEWER, OLDER]);
  const all = await found({ [NEWER]: SAVED_BY_5, [OLDER]: older });
  deepStrictEqual(all.files, [NEWER]);
});

Deno.test("findPreprocessor() takes the size of the newer file before the areas of the older one", async () => {
  const { preprocessor } = await found({
    [NEWER]: {
      "image_processor": { size: { "min_pixels": 1024, "max_pixels": 4096 } },
    },
    [OLDER]: { "min_pixels": 64, "max_pixels": 128 },
  });
  deepStrictEqual(
    [preprocessor.minPixels, preprocessor.maxPixels],
    [1024, 4096],
  );
});

for (
  const newer of [
    { "processor_class": "Emu3Processor" },
    { "processor_class": "Emu3Processor", "image_processor": null },
    undefined,
  ]
) {
  Deno.test(`findPreprocessor() reads preprocessor_config.json beside ${JSON.stringify(newer)}`, async () => {
    const { preprocessor, files } = await found({
      ...newer && { [NEWER]: newer },
      [OLDER]: { "min_pixels": 64, "max_pixels": 128 },
    });
    deepStrictEqual([preprocessor.minPixels, preprocessor.maxPixels], [
      64,
      128,
    ]);
    deepStrictEqual(files, [OLDER]);
  });
}

Deno.test("findPreprocessor() takes the published values and the model's factor if no file has any", async () => {
  using folder = temporaryFolder();
  const config = parseVisionConfig({ "ch_mult": [1, 1, 2, 2, 4] });
  const { preprocessor, files } = await findPreprocessor(folder.path, config);
  deepStrictEqual(files, []);
  strictEqual(preprocessor.minPixels, 512 * 512);
  strictEqual(preprocessor.spatialFactor, 16);
});

Deno.test("findPreprocessor() ignores a wrong setting that the newer file replaces", async () => {
  const { files } = await found({
    [NEWER]: SAVED_BY_5,
    [OLDER]: { resample: 2, "image_processor_type": "CLIPImageProcessor" },
  });
  deepStrictEqual(files, [NEWER]);
});

const refused: [files: Record<string, unknown>, message: RegExp][] = [
  [
    { [NEWER]: { "image_processor": { resample: 2 } } },
    /\/processor_config\.json: field "resample": filter 2 is not/,
  ],
  [
    { [NEWER]: SAVED_BY_5, [OLDER]: { "crop_size": 224 } },
    /\/preprocessor_config\.json: field "crop_size": 224 is not supported/,
  ],
  [
    { [NEWER]: { "image_processor": [] } },
    /\/processor_config\.json: field "image_processor": it is not an object/,
  ],
  [{ [NEWER]: [] }, /\/processor_config\.json: it is not a JSON object/],
  [{ [OLDER]: 1 }, /\/preprocessor_config\.json: it is not a JSON object/],
  [
    { [NEWER]: { "min_pixels": 64 } },
    /\/processor_config\.json: field "min_pixels": .*; move it into "image_processor"/,
  ],
  [
    { [NEWER]: { "image_processor": { "spatial_factor": 16 } } },
    /\/processor_config\.json: field "spatial_factor": 16 does not match the 8 pixels/,
  ],
  [
    { [OLDER]: { "temporal_factor": 2 } },
    /\/preprocessor_config\.json: field "temporal_factor": 2 does not match the 4 frames/,
  ],
  [
    {
      [NEWER]: { "image_processor": { "min_pixels": 4096 } },
      [OLDER]: { "max_pixels": 1024 },
    },
    /\/processor_config\.json: field "min_pixels": 4096 exceeds max_pixels 1024/,
  ],
];

for (const [files, message] of refused) {
  Deno.test(`findPreprocessor() names file and field of ${JSON.stringify(files)}`, async () => {
    await rejects(found(files), (error) => {
      return error instanceof CheckpointError && message.test(error.message);
    });
  });
}

Deno.test("openVisionCheckpoint() opens a folder saved by transformers 5 with its preprocessing", async () => {
  const source = goldenPath("checkpoints/emu3-tiny-hf");
  using folder = changedFolder(source, {
    [NEWER]: JSON.stringify(SAVED_BY_5),
    [OLDER]: undefined,
  });
  const { preprocessor, preprocessorFiles } = await openVisionCheckpoint(
    folder.path,
  );
  strictEqual(preprocessor.maxPixels, 4096);
  deepStrictEqual(preprocessorFiles, [NEWER]);
});
