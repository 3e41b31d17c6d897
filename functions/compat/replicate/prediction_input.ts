/**
 * The input of a prediction, converted to a request of a function.
 *
 * ```text
 * named after a function    that one
 * prompt, frames or context a clip
 * image, images, grid(s)    a question about them, or their codes back to pixels
 * prompt                    a picture
 * ```
 *
 * @module
 */

import type { FunctionName } from "../../schema/common.ts";
import type { JobRequest } from "../../jobs/job.ts";
import { invalidField, NotFoundError } from "../../http/errors/errors.ts";
import { CaptionRequest } from "../../schema/caption.ts";
import { DetokenizeRequest } from "../../schema/detokenize.ts";
import { GenerateRequest } from "../../schema/generate.ts";
import { TokenizeRequest } from "../../schema/tokenize.ts";

/** The fields of an input. */
type Input = Readonly<Record<string, unknown>>;

/** The names of fields by function; the rest of an input is ignored. */
const FIELDS: Readonly<Record<FunctionName, readonly string[]>> = {
  generate: Object.keys(GenerateRequest.entries),
  caption: Object.keys(CaptionRequest.entries),
  tokenize: Object.keys(TokenizeRequest.entries),
  detokenize: Object.keys(DetokenizeRequest.entries),
};

/** The names of Replicate's models for fields of this server. */
const ALIASES: Readonly<
  Record<FunctionName, Readonly<Record<string, string>>>
> = {
  generate: {
    "aspect_ratio": "ratio",
    "num_outputs": "n",
    "num_images": "n",
    "num_frames": "frames",
  },
  caption: { prompt: "question", "max_new_tokens": "max_tokens" },
  tokenize: {},
  detokenize: {},
};

/** The values of Replicate's models for values of this server, by field. */
const VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "output_format": { jpg: "jpeg" },
};

/** The function of a prediction, and its request. */
export interface AskedPrediction {
  /** Name of the function. */
  readonly name: FunctionName;
  /** Request of the function. */
  readonly request: JobRequest;
}

/**
 * Returns the request of a prediction.
 *
 * @param named Model or version without owner: the name of a function or a
 * model.
 * @param served Functions of this server.
 * @throws {NotFoundError} If the function is not served.
 * @throws {InvalidFieldsError} If the input does not identify a function.
 */
export function predictionRequest(
  input: Input,
  named: string | undefined,
  served: ReadonlySet<FunctionName>,
): AskedPrediction {
  const name = functionOf(input, named);
  if (!served.has(name)) {
    throw new NotFoundError(
      `Cannot predict: ${name} is disabled; add it to FUNCTIONS and restart the server`,
    );
  }
  const body: Record<string, unknown> = {};
  for (const [given, value] of Object.entries(input)) {
    const field = ALIASES[name][given] ?? given;
    // Replicate's clients send null for a missing field.
    if (value === null || !FIELDS[name].includes(field)) continue;
    body[field] = ourValue(field, value);
  }
  if (!isFunction(named) && named !== undefined) body["model"] ??= named;
  return {
    name,
    request: {
      path: `/v1/${name}`,
      headers: {
        accept: "application/json",
        "content-type": "application/json",
      },
      body: new TextEncoder().encode(JSON.stringify(body)),
    },
  };
}

function ourValue(field: string, value: unknown): unknown {
  const values = Object.hasOwn(VALUES, field) ? VALUES[field]! : {};
  return typeof value === "string" && Object.hasOwn(values, value)
    ? values[value]
    : value;
}

/**
 * Returns true if a function has a field of this name, its own or Replicate's.
 */
export function isFieldOf(name: FunctionName, given: string): boolean {
  return FIELDS[name].includes(ALIASES[name][given] ?? given);
}

/** Returns the name that `input` uses for a field of this server. */
export function givenName(
  input: Input,
  name: FunctionName,
  field: string,
): string {
  return Object.keys(ALIASES[name])
    .find((alias) =>
      ALIASES[name][alias] === field && Object.hasOwn(input, alias)
    ) ?? field;
}

/** Returns the function that has these fields, for an input that names none. */
export function functionOf(
  input: Input,
  named: string | undefined,
): FunctionName {
  if (isFunction(named)) return named;
  const has = (...fields: string[]) =>
    fields.some((field) => (input[field] ?? undefined) !== undefined);
  if (has("frames", "num_frames", "context") && has("prompt")) {
    return "generate";
  }
  if (has("image", "images")) return "caption";
  if (has("grid", "clip", "tokens", "grids")) {
    return has("question", "prompt") ? "caption" : "detokenize";
  }
  if (has("prompt")) return "generate";
  throw invalidField("/input", "expected prompt, image or grid");
}

function isFunction(name: string | undefined): name is FunctionName {
  return name !== undefined && name in FIELDS;
}
