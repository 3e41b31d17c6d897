/**
 * The answers about the server itself, and its problems.
 *
 * @module
 */

import * as v from "valibot";
import { STRATEGY_NAMES } from "../../../lib/drawing/strategy.ts";
import { Count } from "./answers.ts";
import { Template } from "../caption.ts";
import { Grid, Seed } from "../common.ts";

/** The schema of the defaults that a language model's files recommend. */
const Defaults = v.strictObject({
  "guidance_scale": v.number(),
  "negative_prompt": v.string(),
  temperature: v.number(),
  "top_k": Count,
  "top_p": v.number(),
  template: Template,
  strategy: v.picklist(STRATEGY_NAMES),
});

/** The schema of picture preprocessing, from a vision tokenizer's files. */
const PreprocessingAnswer = v.pipe(
  v.strictObject({
    "min_pixels": Count,
    "max_pixels": Count,
    "spatial_factor": Count,
    resample: v.string(),
    "rescale_factor": v.number(),
    "image_mean": v.array(v.number()),
    "image_std": v.array(v.number()),
    files: v.pipe(
      v.array(v.string()),
      v.description(
        "Files that give these settings, the one that counts first; empty where the published values hold.",
      ),
    ),
  }),
  v.description(
    "How pictures are resized, in pixels², and normalized before they become codes; absent as long as no vision tokenizer is open.",
  ),
  v.metadata({ ref: "Preprocessing" }),
);

/** The schema of a language model's load. */
const EngineAnswer = v.pipe(
  v.strictObject({
    slots: Count,
    "slots_in_use": Count,
    waiting: Count,
    running: Count,
    cache: v.strictObject({
      tokens: Count,
      "tokens_held": Count,
      dtype: v.string(),
      bytes: Count,
    }),
    prefixes: v.strictObject({
      hits: Count,
      misses: Count,
      "tokens_saved": Count,
      evictions: Count,
    }),
  }),
  v.description(
    "How busy it is, and its memory for keys and values, in tokens.",
  ),
  v.metadata({ ref: "Engine" }),
);

/** The schema of a phase of loading. */
const PhaseAnswer = v.pipe(
  v.strictObject({
    name: v.pipe(v.string(), v.description("What is done.")),
    "started_at": v.pipe(
      v.number(),
      v.description("In seconds since the process started."),
    ),
    seconds: v.optional(
      v.pipe(v.number(), v.description("How long it took, once it has ended.")),
    ),
    transfer: v.optional(
      v.pipe(
        v.strictObject({
          place: v.string(),
          bytes: Count,
          "total_bytes": v.nullable(Count),
          "bytes_per_second": v.nullable(v.number()),
        }),
        v.description("How far it is, where bytes are moved."),
      ),
    ),
  }),
  v.metadata({ ref: "Phase" }),
);

/** The schema of a model. */
export const ModelAnswer = v.pipe(
  v.strictObject({
    id: v.pipe(v.string(), v.description("Its name.")),
    object: v.literal("model"),
    created: Count,
    "owned_by": v.string(),
    aliases: v.pipe(
      v.array(v.string()),
      v.description("Other names of it (MODEL_ALIASES)."),
    ),
    revision: v.pipe(
      v.nullable(v.string()),
      v.description("Of the repository that it came from."),
    ),
    capabilities: v.pipe(
      v.array(v.string()),
      v.description(
        "Functions that it serves; text_only where it also answers questions without a picture.",
      ),
    ),
    precision: v.string(),
    device: v.string(),
    state: v.picklist(["unloaded", "loading", "ready", "failed"]),
    phases: v.array(PhaseAnswer),
    reason: v.optional(
      v.pipe(v.string(), v.description("Why it failed.")),
    ),
    "image_area": v.pipe(
      v.nullable(Count),
      v.description("In pixels; null as long as no language model is open."),
    ),
    "context_length": v.pipe(
      v.nullable(Count),
      v.description("In tokens; null as long as no language model is open."),
    ),
    examples: v.pipe(
      v.array(v.string()),
      v.description("Prompts that it is good at."),
    ),
    "max_images": v.pipe(
      v.nullable(Count),
      v.description(
        "Pictures that one question may be about, as it was trained; null as long as no language model is open.",
      ),
    ),
    subjects: v.pipe(
      v.array(v.string()),
      v.description("Things that it can draw, of a model that knows few."),
    ),
    "known_words": v.pipe(
      v.array(v.string()),
      v.description("All words of its prompts, of a model that knows few."),
    ),
    limits: v.pipe(
      v.strictObject({
        "max_body_bytes": Count,
        "max_pixels": Count,
        "max_frames": Count,
      }),
      v.description(
        "Of a request: bytes of its body, pixels of a picture or of all frames of an animation, frames of an animation or a clip.",
      ),
    ),
    adapters: v.pipe(
      v.array(v.string()),
      v.description("Names that a body's adapter may have."),
    ),
    defaults: v.optional(Defaults),
    preprocessing: v.optional(PreprocessingAnswer),
    engine: v.optional(EngineAnswer),
  }),
  v.metadata({ ref: "Model" }),
);

/** The schema of the list of models. */
export const ModelsAnswer = v.pipe(
  v.strictObject({ object: v.literal("list"), data: v.array(ModelAnswer) }),
  v.metadata({ ref: "Models" }),
);

/** The schema of the server's status. */
const Status = v.picklist(["ready", "loading", "failed", "draining"]);

/** The schema of liveness. */
export const LiveAnswer = v.strictObject({ status: v.literal("alive") });

const Store = v.pipe(
  v.literal("full"),
  v.description(
    "Nothing more can be kept for now: jobs are refused, first answers are not kept under their key.",
  ),
);

/** The schema of readiness. */
export const ReadyAnswer = v.strictObject({
  status: Status,
  store: v.optional(Store),
});

/** The schema of readiness with all details. */
export const HealthAnswer = v.pipe(
  v.strictObject({
    status: Status,
    store: v.optional(Store),
    version: v.string(),
    models: v.array(ModelAnswer),
  }),
  v.metadata({ ref: "Health" }),
);

/** The schema of a problem document (RFC 9457). */
export const ProblemAnswer = v.pipe(
  v.strictObject({
    type: v.pipe(
      v.string(),
      v.description(
        "What kind it is: where its page is. From the root of this server, or whole where PUBLIC_URL is set.",
      ),
      v.examples(["/problems/invalid-fields"]),
    ),
    title: v.string(),
    status: v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
    detail: v.pipe(v.string(), v.description("What happened this time.")),
    instance: v.pipe(v.string(), v.description("Path of the request.")),
    "request_id": v.string(),
    retryable: v.pipe(
      v.boolean(),
      v.description("Whether the same request may succeed later."),
    ),
    errors: v.optional(
      v.array(
        v.strictObject({
          pointer: v.pipe(
            v.string(),
            v.description("JSON pointer; empty for the body itself."),
          ),
          detail: v.string(),
        }),
      ),
    ),
    job: v.optional(
      v.pipe(
        v.string(),
        v.description("The job that an interrupted request became."),
      ),
    ),
    resume: v.optional(
      v.pipe(
        v.string(),
        v.description("Where that job goes on: POST, on the next server."),
      ),
    ),
    state: v.optional(
      v.pipe(
        v.strictObject({
          seed: Seed,
          images: v.array(v.strictObject({ prefix: Grid })),
        }),
        v.description(
          "What it takes to go on without the job: the seed, and the rows of one picture so far.",
        ),
      ),
    ),
    error: v.pipe(
      v.strictObject({
        message: v.string(),
        type: v.string(),
        code: v.string(),
        param: v.nullable(v.string()),
      }),
      v.description("The same in OpenAI's shape."),
    ),
  }),
  v.metadata({ ref: "Problem" }),
);
