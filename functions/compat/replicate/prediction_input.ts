/**
 * What a prediction asks, in the words of our functions.
 *
 * ```text
 * named after a function    that one
 * image, images, grid(s)    a question about them, or their codes back to pixels
 * prompt                    a picture
 * ```
 *
 * @module
 */

import type { FunctionName } from "../../schema/function_names.ts";
import type { JobRequest } from "../../jobs/job.ts";
import { invalidField, NotFoundError } from "../../http/errors/errors.ts";
import { CaptionRequest } from "../../schema/caption.ts";
import { DetokenizeRequest } from "../../schema/detokenize.ts";
import { GenerateRequest } from "../../schema/generate.ts";
import { TokenizeRequest } from "../../schema/tokenize.ts";

/** Fields of input. */
type Input = Readonly<Record<string, unknown>>;

/** Names of fields by function; the rest of an input is ignored. */
const FIELDS: Readonly<Record<FunctionName, readonly string[]>> = {
  generate: Object.keys(GenerateRequest.entries),
  caption: Object.keys(CaptionRequest.entries),
  tokenize: Object.keys(TokenizeRequest.entries),
  detokenize: Object.keys(DetokenizeRequest.entries),
};

/** Names that Replicate's models have for what we call otherwise. */
const ALIASES: Readonly<
  Record<FunctionName, Readonly<Record<string, string>>>
> = {
  generate: { "aspect_ratio": "ratio", "num_outputs": "n", "num_images": "n" },
  caption: { prompt: "question", "max_new_tokens": "max_tokens" },
  tokenize: {},
  detokenize: {},
};

/** Values that Replicate's models have for what we call otherwise, by field. */
const VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "output_format": { jpg: "jpeg" },
};

/** What a prediction asks, and of which function. */
export interface AskedPrediction {
  /** Which. */
  readonly name: FunctionName;
  /** What it is sent. */
  readonly request: JobRequest;
}

/**
 * The request that a prediction stands for.
 *
 * @param named Model or version, without owner; a function's name or a model's.
 * @param served Functions of this server.
 * @throws {NotFoundError} When the function is not served.
 * @throws {InvalidFieldsError} When the input does not tell what is wanted.
 */
export function predictionRequest(
  input: Input,
  named: string | undefined,
  served: ReadonlySet<FunctionName>,
): AskedPrediction {
  const name = functionOf(input, named);
  if (!served.has(name)) {
    throw new NotFoundError(
      `Cannot predict: ${name} is not among the FUNCTIONS of this server`,
    );
  }
  const body: Record<string, unknown> = {};
  for (const [given, value] of Object.entries(input)) {
    const field = ALIASES[name][given] ?? given;
    // Null is how their clients leave a field out.
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

/** Returns whether a function takes a field of this name, ours or Replicate's. */
export function isFieldOf(name: FunctionName, given: string): boolean {
  return FIELDS[name].includes(ALIASES[name][given] ?? given);
}

/** Returns the name by which `input` has a field of ours. */
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

/** The function whose fields these are, unless it is named. */
export function functionOf(
  input: Input,
  named: string | undefined,
): FunctionName {
  if (isFunction(named)) return named;
  const has = (...fields: string[]) =>
    fields.some((field) => (input[field] ?? undefined) !== undefined);
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
