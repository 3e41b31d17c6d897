/**
 * The preprocessing of pictures, from the settings of a checkpoint's image
 * processor.
 *
 * The settings are in `preprocessor_config.json` up to transformers 4, and in
 * the object `image_processor` of `processor_config.json` from transformers 5.
 * A setting that would change pixels in an unsupported way is refused, and so
 * is one of an unknown name, because ignoring it would silently change codes.
 *
 * Source: image_processing_emu3.py of huggingface/transformers.
 *
 * @module
 */

import * as v from "valibot";
import { Count, parseFields, Positive } from "./fields.ts";

/** The preprocessing from a picture to the encoder's input. */
export interface PreprocessorConfig {
  /** Minimum area after resizing, in pixels². */
  readonly minPixels: number;
  /** Maximum area after resizing, in pixels². */
  readonly maxPixels: number;
  /** Number of which resized sides are multiples. */
  readonly spatialFactor: number;
  /** Factor of levels 0…255. */
  readonly rescaleFactor: number;
  /** Means subtracted after rescaling, by channel. */
  readonly mean: readonly number[];
  /** Standard deviations that divide the result, by channel. */
  readonly std: readonly number[];
}

/** The filter that resizes pictures; the same in every Emu3. */
export const RESAMPLE = "bicubic";

/** Value of `PIL.Image.BICUBIC`. */
const BICUBIC = 3;

/** The maximum number of characters of a value in a message. */
const MAX_SHOWN = 64;

/** Returns the schema of one number per channel, or one for all. */
const byChannel = (each: v.GenericSchema<number>) =>
  v.pipe(
    v.unknown(),
    v.transform((value) =>
      typeof value === "number" ? [value, value, value] : value
    ),
    v.array(each),
    v.length<number[], 3>(3),
  );

/** Returns the schema of a setting with a single supported value. */
const fixed = (value: boolean | string, why: string) =>
  v.literal(
    value,
    ({ input }) => `${shown(input)} is not Emu3's ${shown(value)}, ${why}`,
  );

const Resample = v.custom<number | string>(
  (value) =>
    value === BICUBIC ||
    typeof value === "string" && value.toLowerCase() === RESAMPLE,
  ({ input }) =>
    `filter ${shown(input)} is not Emu3's ${RESAMPLE} (${BICUBIC})`,
);

const PROCESSOR_TYPE = /^Emu3(VisionVQ)?ImageProcessor(Fast|Pil)?$/;

const Settings = v.looseObject({
  min_pixels: v.nullish(Count),
  max_pixels: v.nullish(Count),
  size: v.nullish(v.looseObject({
    min_pixels: v.nullish(Count),
    max_pixels: v.nullish(Count),
  })),
  spatial_factor: v.nullish(Count),
  temporal_factor: v.nullish(Count),
  rescale_factor: v.nullish(Positive),
  image_mean: v.nullish(byChannel(v.number())),
  image_std: v.nullish(byChannel(Positive)),
  resample: v.nullish(Resample),
  do_resize: v.nullish(fixed(true, "pictures become whole codes")),
  do_rescale: v.nullish(fixed(true, "set rescale_factor to 1 instead")),
  do_normalize: v.nullish(
    fixed(true, "set image_mean to 0 and image_std to 1 instead"),
  ),
  do_convert_rgb: v.nullish(fixed(true, "the encoder takes red, green, blue")),
  // Pads batches; a batch is a single picture here.
  do_pad: v.nullish(v.boolean()),
  // Affects sizes of one number, which are refused.
  default_to_square: v.nullish(v.boolean()),
  data_format: v.nullish(
    fixed("channels_first", "the encoder takes planes"),
  ),
  image_processor_type: v.nullish(v.pipe(
    v.string(),
    v.regex(
      PROCESSOR_TYPE,
      ({ input }) => `${shown(input)} is not Emu3's "Emu3ImageProcessor"`,
    ),
  )),
});

/** Fields that do not affect pixels. */
const NOTES: ReadonlySet<string> = new Set([
  "auto_map",
  "feature_extractor_type",
  "model_input_names",
  "processor_class",
  "return_tensors",
  "transformers_version",
]);

/** Names of supported settings. */
const KNOWN: ReadonlySet<string> = new Set(Object.keys(Settings.entries));

/** The settings of one file; undefined for those it omits. */
export type PreprocessorSettings = Partial<PreprocessorConfig> & {
  /** Number of frames per code frame. */
  readonly temporalFactor?: number | undefined;
};

/** Returns true if `name` is a setting of an image processor. */
export function isPreprocessorSetting(name: string): boolean {
  return KNOWN.has(name);
}

/**
 * Reads the settings of `json`, an image processor.
 *
 * If `size` and the fields `min_pixels` and `max_pixels` differ, the fields
 * take precedence, as in transformers, whose savers keep a stale `size`.
 *
 * @throws {SyntaxError} If a setting is invalid or unsupported.
 */
export function readPreprocessorSettings(json: unknown): PreprocessorSettings {
  const fields = parseFields(Settings, json);
  refuseUnknown(fields, KNOWN, "");
  refuseUnknown(
    fields.size ?? {},
    new Set(["min_pixels", "max_pixels"]),
    "size.",
  );
  const given = {
    minPixels: fields.min_pixels ?? fields.size?.min_pixels,
    maxPixels: fields.max_pixels ?? fields.size?.max_pixels,
    spatialFactor: fields.spatial_factor,
    temporalFactor: fields.temporal_factor,
    rescaleFactor: fields.rescale_factor,
    mean: fields.image_mean,
    std: fields.image_std,
  };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) =>
      (value ?? undefined) !== undefined
    ),
  );
}

/** Refuses settings of unknown names, unless they are off. */
function refuseUnknown(
  fields: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
  within: string,
): void {
  for (const [name, value] of Object.entries(fields)) {
    const off = value === null || value === undefined || value === false;
    if (off || known.has(name) || NOTES.has(name) || name.startsWith("_")) {
      continue;
    }
    throw new SyntaxError(
      `field "${within}${name.slice(0, MAX_SHOWN)}": ${
        shown(value)
      } is not supported: Emu3's preprocessing has no such setting; remove it if it changes no pixels`,
    );
  }
}

/**
 * Returns the preprocessing of `settings`, with the published values for
 * omitted ones.
 *
 * @throws {SyntaxError} If the areas contradict each other.
 */
export function completePreprocessor(
  settings: PreprocessorSettings,
): PreprocessorConfig {
  const {
    minPixels = 512 * 512,
    maxPixels = 1024 * 1024,
    spatialFactor = 8,
    rescaleFactor = 1 / 255,
    mean = [0.5, 0.5, 0.5],
    std = [0.5, 0.5, 0.5],
  } = settings;
  if (minPixels > maxPixels) {
    throw new SyntaxError(
      `field "min_pixels": ${minPixels} exceeds max_pixels ${maxPixels}`,
    );
  }
  return { minPixels, maxPixels, spatialFactor, rescaleFactor, mean, std };
}

/** Returns a value for a message, shortened if it is long. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
