/**
 * The list of all platforms.
 *
 * @module
 */

import { CLOUD_RUN } from "./cloud_run.ts";
import { COMPOSE } from "./compose.ts";
import { DOCKER } from "./docker.ts";
import { FLY } from "./fly.ts";
import { KNATIVE } from "./knative.ts";
import { KSERVE } from "./kserve.ts";
import { KUBERNETES } from "./kubernetes.ts";
import {
  checkOptions,
  type DeployOptions,
  OptionsError,
  type SettingParsers,
} from "./options.ts";
import type { Platform, Rendering } from "./platform.ts";
import { RUNPOD, RUNPOD_QUEUE } from "./runpod.ts";

/** Platforms in the order of the command's help. */
export const PLATFORMS: readonly Platform[] = [
  DOCKER,
  COMPOSE,
  KUBERNETES,
  KNATIVE,
  KSERVE,
  CLOUD_RUN,
  RUNPOD,
  RUNPOD_QUEUE,
  FLY,
];

/**
 * Renders the files of `platform`.
 *
 * @param parsers Variables of the server, which settings may set.
 * @throws {OptionsError} When the platform does not support `options`.
 */
export function render(
  platform: Platform,
  options: DeployOptions,
  parsers: SettingParsers,
): Rendering {
  const { name, facts } = platform;
  const { gpu, requestTimeoutS } = checkOptions(options, parsers);
  if (gpu && !facts.gpu) {
    throw new OptionsError(`${name} has no GPUs; remove --gpu`);
  }
  if (requestTimeoutS > (facts.maxRequestS ?? Infinity)) {
    throw new OptionsError(
      `requestTimeoutS is ${requestTimeoutS}, expected at most ${facts.maxRequestS}, after which ${name} ends requests`,
    );
  }
  return platform.render(options);
}
