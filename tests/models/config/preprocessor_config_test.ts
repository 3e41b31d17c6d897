import { deepStrictEqual, throws } from "node:assert/strict";
import {
  completePreprocessor,
  readPreprocessorSettings,
} from "../../../models/config/preprocessor_config.ts";
import { goldenJson } from "../../support/golden.ts";

type Json = Record<string, unknown>;

const PUBLISHED = {
  minPixels: 262_144,
  maxPixels: 1_048_576,
  spatialFactor: 8,
  rescaleFactor: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

for (const name of ["Emu3-VisionTokenizer", "Emu3-Gen-hf"]) {
  Deno.test(`readPreprocessorSettings() reads ${name} as published`, () => {
    const json = goldenJson(`hub/${name}/preprocessor_config.json`);
    deepStrictEqual(
      completePreprocessor(readPreprocessorSettings(json)),
      PUBLISHED,
    );
  });
}

Deno.test("completePreprocessor() takes the published values for omitted settings", () => {
  deepStrictEqual(completePreprocessor({}), PUBLISHED);
  deepStrictEqual(readPreprocessorSettings({}), {});
});

const understood: [given: Json, settings: Json][] = [
  [{ size: { min_pixels: 64, max_pixels: 128 } }, {
    minPixels: 64,
    maxPixels: 128,
  }],
  // A saver keeps the constructor's size when the fields are changed.
  [{ max_pixels: 100, size: { min_pixels: 64, max_pixels: 128 } }, {
    minPixels: 64,
    maxPixels: 100,
  }],
  [{ image_mean: 0.25, image_std: 0.5 }, {
    mean: [0.25, 0.25, 0.25],
    std: [0.5, 0.5, 0.5],
  }],
  [{ rescale_factor: 1, temporal_factor: 4 }, {
    rescaleFactor: 1,
    temporalFactor: 4,
  }],
  [{
    resample: "BICUBIC",
    do_pad: false,
    do_resize: null,
    default_to_square: true,
  }, {}],
  // Other processors' settings, switched off.
  [{ do_center_crop: false, crop_size: null, device: null }, {}],
  [{ image_processor_type: "Emu3ImageProcessorFast", _commit: "0f" }, {}],
  [{ data_format: "channels_first", processor_class: "Emu3Processor" }, {}],
];

for (const [given, settings] of understood) {
  Deno.test(`readPreprocessorSettings() understands ${JSON.stringify(given)}`, () => {
    deepStrictEqual(readPreprocessorSettings(given), settings);
  });
}

const refused: [change: Json, message: RegExp][] = [
  [{ resample: 2 }, /^field "resample": filter 2 is not Emu3's bicubic \(3\)/],
  [{ resample: "lanczos" }, /^field "resample": filter "lanczos" is not /],
  [{ min_pixels: "many" }, /^field "min_pixels": .*"many"/],
  [{ size: { min_pixels: 0 } }, /^field "size\.min_pixels": .*0/],
  [{ size: 224 }, /^field "size": .*224/],
  [
    { size: { height: 224, width: 224 } },
    /^field "size\.height": 224 is not supported/,
  ],
  [
    { size: { shortest_edge: 512 }, min_pixels: 64 },
    /^field "size\.shortest_edge": 512 is not supported/,
  ],
  [{ image_mean: [0.5] }, /^field "image_mean": /],
  [{ image_std: [0.5, 0, 0.5] }, /^field "image_std\.1": .*0/],
  [{ image_std: 0 }, /^field "image_std\.0": .*0/],
  [{ rescale_factor: 0 }, /^field "rescale_factor": .*0/],
  [{ do_resize: false }, /^field "do_resize": false is not Emu3's true/],
  [{ do_rescale: false }, /^field "do_rescale": false .*rescale_factor to 1/],
  [{ do_normalize: false }, /^field "do_normalize": false .*image_mean to 0/],
  [{ do_convert_rgb: false }, /^field "do_convert_rgb": false is not /],
  [{ do_center_crop: true }, /^field "do_center_crop": true is not supported/],
  [{ patch_size: 14 }, /^field "patch_size": 14 is not supported/],
  [{ spatial_factor: 8.5 }, /^field "spatial_factor": .*8\.5/],
  [{ temporal_factor: "4" }, /^field "temporal_factor": .*"4"/],
  [
    { image_processor_type: "CLIPImageProcessor" },
    /^field "image_processor_type": "CLIPImageProcessor" is not Emu3's/,
  ],
  [
    { data_format: "channels_last" },
    /^field "data_format": "channels_last" is not Emu3's "channels_first"/,
  ],
  [{ crop: "x".repeat(99) }, /^field "crop": "x{63}… is not supported/],
];

for (const [change, message] of refused) {
  Deno.test(`readPreprocessorSettings() names field and value when it is ${Deno.inspect(change)}`, () => {
    throws(() => readPreprocessorSettings(change), (error) => {
      return error instanceof SyntaxError && message.test(error.message);
    });
  });
}

Deno.test("completePreprocessor() refuses a minimum area above the maximum", () => {
  throws(
    () => completePreprocessor({ minPixels: 5000, maxPixels: 4000 }),
    /^SyntaxError: field "min_pixels": 5000 exceeds max_pixels 4000/,
  );
});
