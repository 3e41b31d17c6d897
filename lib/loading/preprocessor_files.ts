/**
 * The files of a checkpoint that describe how pictures are preprocessed.
 *
 * ```text
 * processor_config.json      {"image_processor": {…}}   transformers 5
 * preprocessor_config.json   {…}                        before
 * ```
 *
 * Both are read. A setting of the newer file replaces that of the older one,
 * which may be a leftover of an earlier version.
 *
 * @module
 */

import { join } from "node:path";
import {
  completePreprocessor,
  isPreprocessorSetting,
  type PreprocessorConfig,
  type PreprocessorSettings,
  readPreprocessorSettings,
} from "../../models/config/preprocessor_config.ts";
import {
  spatialFactor,
  type VisionConfig,
} from "../../models/config/vision_config.ts";
import { CheckpointError } from "../errors.ts";
import { jsonObject, parseJsonFile } from "./json_file.ts";

const NEWER_FILE = "processor_config.json";
const OLDER_FILE = "preprocessor_config.json";

/** A checkpoint's preprocessing and its files. */
export interface FoundPreprocessor {
  /** The settings, complete. */
  readonly preprocessor: PreprocessorConfig;
  /**
   * Names of the files that contain a setting, in order of precedence; empty if
   * the published values apply.
   */
  readonly files: readonly string[];
}

/**
 * Reads the preprocessing of pictures for the vision tokenizer in `folder`.
 *
 * @throws {CheckpointError} If a setting is invalid, unsupported or contradicts
 * the model; the message names file, field and value.
 */
export async function findPreprocessor(
  folder: string,
  config: VisionConfig,
): Promise<FoundPreprocessor> {
  const newer = await parseJsonFile(
    join(folder, NEWER_FILE),
    innerSettings,
    {},
  );
  const older = await parseJsonFile(
    join(folder, OLDER_FILE),
    (json) => jsonObject(json),
    {},
  );
  // Replaced settings are not used, so they may be invalid.
  const kept = Object.fromEntries(
    Object.entries(older).filter(([name]) => (newer[name] ?? null) === null),
  );
  const parts = [
    { path: join(folder, NEWER_FILE), name: NEWER_FILE, fields: newer },
    { path: join(folder, OLDER_FILE), name: OLDER_FILE, fields: kept },
  ].map(({ path, name, fields }) => ({
    path,
    name,
    settings: inFile(path, () => readPreprocessorSettings(fields)),
  }));
  for (const { path, settings } of parts) {
    refuseOtherFactors(path, settings, config);
  }
  const giving = parts.filter(({ settings }) =>
    Object.keys(settings).length > 0
  );
  const path = giving[0]?.path ?? join(folder, OLDER_FILE);
  const [first, second] = parts;
  const settings = {
    spatialFactor: spatialFactor(config),
    ...second!.settings,
    ...first!.settings,
  };
  return {
    preprocessor: inFile(path, () => completePreprocessor(settings)),
    files: giving.map(({ name }) => name),
  };
}

/**
 * Returns the image processor within `processor_config.json`; empty without
 * one.
 */
function innerSettings(json: unknown): Readonly<Record<string, unknown>> {
  const outer = jsonObject(json);
  for (const [name, value] of Object.entries(outer)) {
    if (value === null || !isPreprocessorSetting(name)) continue;
    throw new SyntaxError(
      `field "${name}": it is not supported here; move it into "image_processor"`,
    );
  }
  const inner = outer["image_processor"];
  if (inner === undefined || inner === null) return {};
  return jsonObject(inner, 'field "image_processor": it is not an object');
}

function refuseOtherFactors(
  path: string,
  given: PreprocessorSettings,
  config: VisionConfig,
): void {
  const factor = spatialFactor(config);
  if (given.spatialFactor !== undefined && given.spatialFactor !== factor) {
    throw new CheckpointError(
      path,
      `field "spatial_factor": ${given.spatialFactor} does not match the ${factor} pixels per side of the model's codes`,
    );
  }
  const { temporalFactor } = config;
  const { temporalFactor: frames } = given;
  if (frames !== undefined && frames !== temporalFactor) {
    throw new CheckpointError(
      path,
      `field "temporal_factor": ${frames} does not match the ${temporalFactor} frames per code of the model`,
    );
  }
}

/**
 * Runs `read` and converts its syntax errors to errors about the file at
 * `path`.
 */
function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CheckpointError(path, cause.message, { cause });
  }
}
