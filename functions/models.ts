/**
 * `GET /v1/models` and `/v1/models/{name}`, in OpenAI's shape with more in it.
 *
 * @module
 */

import { Hono } from "hono";
import { ADAPTERS } from "./adapters.ts";
import type { AppEnv } from "./context.ts";
import type {
  EngineListing,
  Listing,
  ModelDetails,
  ModelListing,
} from "./ports.ts";
import { UnknownModelError } from "./refusals.ts";

/** The routes, ready to mount. */
export function models(listing: Listing): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/v1/models", (c) => {
      const data = listing.models().map(modelFields);
      return c.json({ object: "list", data });
    })
    // Names of repositories have a slash.
    .get("/v1/models/:name{.+}", (c) => {
      const name = c.req.param("name");
      const all = listing.models();
      const model = all.find((model) => model.name === name);
      if (model === undefined) {
        throw new UnknownModelError(name.slice(0, 256), all.map(nameOf));
      }
      return c.json(modelFields(model));
    });
}

/** A model as it is listed. */
export function modelFields(model: ModelListing): Record<string, unknown> {
  const { name, precision, device, state, details, engine } = model;
  return {
    id: name,
    object: "model",
    // OpenAI's clients want a date; files have none that means anything.
    created: 0,
    "owned_by": "local",
    revision: model.revision ?? null,
    capabilities: model.capabilities,
    precision,
    device,
    ...state,
    // Known once a language model is open; of a vision tokenizer, never.
    "image_area": details?.imageArea ?? null,
    "context_length": details?.contextLength ?? null,
    examples: details?.examples ?? [],
    adapters: ADAPTERS,
    ...(details && { defaults: defaultFields(details) }),
    ...(engine && { engine: engineFields(engine) }),
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
