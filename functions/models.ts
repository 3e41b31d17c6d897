/**
 * The model routes: `GET /v1/models` and `/v1/models/{name}`, in OpenAI's
 * format with extensions.
 *
 * @module
 */

import { Hono } from "hono";
import { RESAMPLE } from "../models/config/preprocessor_config.ts";
import type { AppEnv } from "./http/context.ts";
import { describe, json } from "./openapi/description/describe.ts";
import type { ClipConfig } from "../models/config/clip_config.ts";
import { frameLimit } from "./inference/frame_limit.ts";
import { isNamed } from "./models/model_aliases.ts";
import type { Phase } from "./models/load_phases.ts";
import type {
  EngineListing,
  Listing,
  ModelDetails,
  ModelListing,
  PreprocessingListing,
} from "./models/ports.ts";
import { UnknownModelError } from "./http/errors/errors.ts";
import { ModelAnswer, ModelsAnswer } from "./schema/answers/server.ts";

const listDescription = describe({
  id: "listModels",
  tag: "models",
  summary: "Loaded models and their load",
  answers: {
    200: {
      description: "All models",
      content: json(ModelsAnswer),
      links: {
        model: {
          operationId: "getModel",
          parameters: { name: "$response.body#/data/0/id" },
        },
      },
    },
  },
  problems: [],
});

const oneDescription = describe({
  id: "getModel",
  tag: "models",
  summary: "Get a model",
  parameters: [{
    in: "path",
    name: "name",
    required: true,
    description:
      "Name or alias of the model in the list, or its name with an adapter's behind a colon; slashes need no escaping.",
    schema: { type: "string" },
    example: "emu3-mini",
  }],
  answers: {
    200: { description: "Model metadata", content: json(ModelAnswer) },
  },
  problems: ["unknown-model"],
});

/** Returns the routes, ready to mount. */
export function models(listing: Listing): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/v1/models", listDescription, (c) => {
      const data = listing.models().map((model) => modelFields(model, listing));
      return c.json({ object: "list", data });
    })
    // Names of repositories contain a slash.
    .get("/v1/models/:name{.+}", oneDescription, (c) => {
      const name = c.req.param("name");
      const all = listing.models();
      const model = all.find((model) => isNamed(model, name));
      if (model === undefined) {
        throw new UnknownModelError(name.slice(0, 256), all.map(nameOf));
      }
      return c.json(modelFields(model, listing));
    });
}

/** Returns the fields of a listed model. */
export function modelFields(
  model: ModelListing,
  { limits, readVideo }: Pick<Listing, "limits" | "readVideo">,
): ModelAnswer {
  const { name, precision, device, state, details, engine, preprocessing } =
    model;
  const prompts = details?.generation ?? model.clips?.prompts;
  return {
    id: name,
    object: "model",
    // OpenAI's clients require a date; files have no meaningful one.
    created: 0,
    "owned_by": "local",
    aliases: model.aliases ?? [],
    revision: model.revision ?? null,
    capabilities: capabilitiesOf(model, readVideo !== undefined),
    precision,
    device,
    state: state.state,
    phases: state.phases.map(phaseFields),
    ...(state.state === "failed" && { reason: state.reason }),
    // Known once a language model is open, or for clips; never for a vision
    // tokenizer.
    "image_area": details?.imageArea ?? model.clips?.imageArea ?? null,
    "context_length": details?.contextLength ?? null,
    examples: details?.examples ?? prompts?.examples ?? [],
    "max_images": details?.generation.maxImages ?? null,
    subjects: prompts?.subjects ?? [],
    "known_words": prompts?.knownWords ?? [],
    limits: {
      "max_body_bytes": limits.maxBodyBytes,
      "max_pixels": limits.maxPixels,
      "max_frames": frameLimit(limits),
    },
    adapters: model.adapters ?? [],
    ...(model.clips && { clips: clipsFields(model.clips) }),
    ...(details && { defaults: defaultFields(details) }),
    ...(preprocessing && { preprocessing: preprocessingFields(preprocessing) }),
    ...(engine && { engine: engineFields(engine) }),
  };
}

/**
 * Returns the functions of a model, `clips` for clips, `text_only` for text
 * answers, and `videos` for video files.
 */
function capabilitiesOf(
  { capabilities, details, clips }: ModelListing,
  readsVideo: boolean,
) {
  const asks = capabilities.includes("caption");
  const text = asks && details?.generation.textOnly === true;
  const videos = readsVideo && (asks || capabilities.includes("tokenize"));
  return [
    ...capabilities,
    ...(clips ? ["clips"] : []),
    ...(text ? ["text_only"] : []),
    ...(videos ? ["videos"] : []),
  ];
}

function clipsFields(
  { format, interleaved, frames, maxFrames, fps }: ClipConfig,
) {
  return {
    format,
    mode: interleaved ? "interleaved" as const : "whole" as const,
    frames,
    "max_frames": Number.isFinite(maxFrames) ? maxFrames : null,
    fps,
  };
}

function phaseFields({ name, startedAt, seconds, transfer }: Phase) {
  return {
    name,
    "started_at": startedAt,
    ...(seconds !== undefined && { seconds }),
    ...(transfer && {
      transfer: {
        place: transfer.place,
        bytes: transfer.bytes,
        "total_bytes": transfer.totalBytes ?? null,
        "bytes_per_second": transfer.bytesPerSecond ?? null,
      },
    }),
  };
}

function defaultFields({ generation, strategy }: ModelDetails) {
  return {
    "guidance_scale": generation.guidanceScale,
    "negative_prompt": generation.negativePrompt,
    temperature: generation.temperature,
    "top_k": generation.topK,
    "top_p": generation.topP,
    template: generation.template,
    strategy,
  };
}

function preprocessingFields(preprocessing: PreprocessingListing) {
  return {
    "min_pixels": preprocessing.minPixels,
    "max_pixels": preprocessing.maxPixels,
    "spatial_factor": preprocessing.spatialFactor,
    resample: RESAMPLE,
    "rescale_factor": preprocessing.rescaleFactor,
    "image_mean": preprocessing.mean,
    "image_std": preprocessing.std,
    files: preprocessing.files,
  };
}

function engineFields({ cache, ...engine }: EngineListing) {
  const { hits, misses, tokensSaved, evictions } = cache.prefixes;
  return {
    slots: engine.slots,
    "slots_in_use": engine.slotsInUse,
    waiting: engine.waiting,
    running: engine.running,
    cache: {
      tokens: cache.tokens,
      "tokens_held": cache.tokensHeld,
      dtype: engine.cacheDtype,
      bytes: cache.tokens * engine.cacheTokenBytes,
    },
    prefixes: { hits, misses, "tokens_saved": tokensSaved, evictions },
  };
}

function nameOf({ name }: ModelListing): string {
  return name;
}
