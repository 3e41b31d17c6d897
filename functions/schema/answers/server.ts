/**
 * The answers about the server itself, and its problems.
 *
 * @module
 */

import * as v from "valibot";
import { STRATEGY_NAMES } from "../../../lib/drawing/strategy.ts";
import { type AnswerOf, Count } from "./answers.ts";
import { Template } from "../caption.ts";
import { Clip, Grid, Seed } from "../common.ts";

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
        "Files with these settings, in order of precedence; empty for the published values.",
      ),
    ),
  }),
  v.description(
    "Resizing (areas in pixels) and normalization of images before encoding; absent until the vision tokenizer is open.",
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
    "Load of the engine and its KV cache, in tokens.",
  ),
  v.metadata({ ref: "Engine" }),
);

/** The schema of a phase of loading. */
const PhaseAnswer = v.pipe(
  v.strictObject({
    name: v.pipe(v.string(), v.description("Name of the phase.")),
    "started_at": v.pipe(
      v.number(),
      v.description("Start, in seconds since the start of the process."),
    ),
    seconds: v.optional(
      v.pipe(
        v.number(),
        v.description("Duration in seconds, once the phase has ended."),
      ),
    ),
    transfer: v.optional(
      v.pipe(
        v.strictObject({
          place: v.string(),
          bytes: Count,
          "total_bytes": v.nullable(Count),
          "bytes_per_second": v.nullable(v.number()),
        }),
        v.description("Progress of a transfer of bytes."),
      ),
    ),
  }),
  v.metadata({ ref: "Phase" }),
);

/** The schema of a model. */
export const ModelAnswer = v.pipe(
  v.strictObject({
    id: v.pipe(v.string(), v.description("Name of the model.")),
    object: v.literal("model"),
    created: Count,
    "owned_by": v.string(),
    aliases: v.pipe(
      v.array(v.string()),
      v.description("Aliases of the model (MODEL_ALIASES)."),
    ),
    revision: v.pipe(
      v.nullable(v.string()),
      v.description("Revision of the repository that the model came from."),
    ),
    capabilities: v.pipe(
      v.array(v.string()),
      v.description(
        "Functions that the model serves; clips if it generates clips, text_only if it also answers questions without an image, videos if it reads video files.",
      ),
    ),
    precision: v.string(),
    device: v.string(),
    state: v.picklist(["unloaded", "loading", "ready", "failed"]),
    phases: v.array(PhaseAnswer),
    reason: v.optional(
      v.pipe(v.string(), v.description("Reason of the failure.")),
    ),
    "image_area": v.pipe(
      v.nullable(Count),
      v.description(
        "Default image area in pixels; null until the language model is open.",
      ),
    ),
    "context_length": v.pipe(
      v.nullable(Count),
      v.description(
        "Context length in tokens; null until the language model is open.",
      ),
    ),
    examples: v.pipe(
      v.array(v.string()),
      v.description("Example prompts."),
    ),
    "max_images": v.pipe(
      v.nullable(Count),
      v.description(
        "Maximum number of images per question that the model was trained with; null until the language model is open.",
      ),
    ),
    subjects: v.pipe(
      v.array(v.string()),
      v.description("Subjects of a model with a limited vocabulary."),
    ),
    "known_words": v.pipe(
      v.array(v.string()),
      v.description("All prompt words of a model with a limited vocabulary."),
    ),
    limits: v.pipe(
      v.strictObject({
        "max_body_bytes": Count,
        "max_pixels": Count,
        "max_frames": Count,
      }),
      v.description(
        "Limits of a request: bytes of the body, pixels of an image or of all frames of an animation, frames of an animation or a clip.",
      ),
    ),
    adapters: v.pipe(
      v.array(v.string()),
      v.description("Names of loaded adapters."),
    ),
    clips: v.optional(
      v.pipe(
        v.strictObject({
          format: v.pipe(
            v.picklist(["paper", "frames"]),
            v.description(
              "frames: each frame is an image of its own. paper: a frame of codes represents several frames of pixels.",
            ),
          ),
          mode: v.picklist(["whole", "interleaved"]),
          frames: v.pipe(Count, v.description("Default number of frames.")),
          "max_frames": v.pipe(
            v.nullable(Count),
            v.description("Maximum number; null as the context allows."),
          ),
          fps: v.pipe(v.number(), v.description("Default frame rate.")),
        }),
        v.description("Clips of a model with the capability clips."),
      ),
    ),
    defaults: v.optional(Defaults),
    preprocessing: v.optional(PreprocessingAnswer),
    engine: v.optional(EngineAnswer),
  }),
  v.metadata({ ref: "Model" }),
);
/** A listed model. */
export type ModelAnswer = AnswerOf<typeof ModelAnswer>;

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
    "full while the store has no space: jobs are refused, and idempotent responses are not stored.",
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
        "URL of the problem's page; absolute if PUBLIC_URL is set, else relative to the root of this server.",
      ),
      v.examples(["/problems/invalid-fields"]),
    ),
    title: v.string(),
    status: v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
    detail: v.pipe(
      v.string(),
      v.description("Description of this occurrence."),
    ),
    instance: v.pipe(v.string(), v.description("Path of the request.")),
    "request_id": v.string(),
    retryable: v.pipe(
      v.boolean(),
      v.description("True if a retry of the same request may succeed."),
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
        v.description("Id of the job of an interrupted request."),
      ),
    ),
    resume: v.optional(
      v.pipe(
        v.string(),
        v.description("URL to POST to on the next server, to resume the job."),
      ),
    ),
    state: v.optional(
      v.pipe(
        v.strictObject({
          seed: Seed,
          images: v.array(v.strictObject({ prefix: Grid })),
          clips: v.optional(v.array(v.strictObject({ clip: Clip }))),
        }),
        v.description(
          "State to continue without the job: the seed, and the rows generated so far for a single image, or the whole frames of a single clip.",
        ),
      ),
    ),
    step: v.optional(
      v.pipe(
        v.string(),
        v.description("Step that failed, of a workflow."),
      ),
    ),
    error: v.pipe(
      v.strictObject({
        message: v.string(),
        type: v.string(),
        code: v.string(),
        param: v.nullable(v.string()),
      }),
      v.description("Same error in OpenAI's format."),
    ),
  }),
  v.metadata({ ref: "Problem" }),
);
