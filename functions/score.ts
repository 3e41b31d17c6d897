/**
 * `POST /v1/score`: the likelihood of a picture or a clip given its prompt, or
 * of an answer given its question.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { AppEnv } from "./http/context.ts";
import { scoreDescription } from "./openapi/description/score.ts";
import type { FunctionName } from "./schema/common.ts";
import { negotiate } from "./http/accept.ts";
import type { ModelPair } from "./models/ports.ts";
import {
  checkScored,
  holdsClip,
  scoredClip,
} from "./inference/clips/scored_clip.ts";
import { questionGrids } from "./inference/image_inputs.ts";
import { invalidField } from "./http/errors/errors.ts";
import { MAX_PICTURES } from "./schema/caption.ts";
import { ScoreRequest } from "./schema/score.ts";
import {
  runScore,
  scoreKind,
  type Scorers,
  scoringModels,
} from "./inference/scoring.ts";
import type { ScoreAnswer } from "./schema/answers/score.ts";
import { serverTiming } from "./http/server_timing.ts";
import { readUpload, type Upload } from "./http/upload.ts";

/** Types of answers. */
const TYPES = ["application/json"] as const;

/**
 * Returns the route, ready to mount.
 *
 * @param functions Functions of the server: pictures are scored by the model
 * that draws, answers by the one that answers.
 */
export function score(
  scorers: Scorers,
  functions: ReadonlySet<FunctionName>,
): Hono<AppEnv> {
  const description = scoreDescription(functions);
  return new Hono<AppEnv>().post("/v1/score", description, async (c) => {
    negotiate(c.req.header("accept"), TYPES);
    const upload = await readUpload(c.req.raw, ScoreRequest, {
      maxBytes: scorers.limits.maxBodyBytes,
      files: { image: MAX_PICTURES },
      codes: true,
    });
    const models = await checkedModels(scorers, functions, upload);
    const scored = await scoreUpload(c, scorers, upload, models);
    return c.json(scored, 200, {
      "server-timing": serverTiming(scored.timings),
    });
  });
}

/** Returns the models for a body whose fields are consistent. */
async function checkedModels(
  scorers: Scorers,
  functions: ReadonlySet<FunctionName>,
  upload: Upload<ScoreRequest>,
): Promise<ModelPair> {
  const { fields, files } = upload;
  const kind = scoreKind(fields);
  checkScored(upload);
  if (kind === "prompt" && (files.get("image")?.length ?? 1) > 1) {
    throw invalidField("/image", "expected one image per prompt");
  }
  return await scoringModels(scorers, functions, kind, fields);
}

async function scoreUpload(
  c: Context<AppEnv>,
  scorers: Scorers,
  upload: Upload<ScoreRequest>,
  models: ModelPair,
): Promise<ScoreAnswer> {
  const { fields } = upload;
  const call = c.get("call");
  const { decode } = fields;
  if (holdsClip(fields)) {
    const clip = await scoredClip(fields, models, scorers, call);
    return await runScore(fields, models, clip, call);
  }
  const options = { decode, call };
  const { vision } = models;
  const pictures = await questionGrids(
    c.req.raw,
    upload,
    vision,
    scorers,
    options,
  );
  return await runScore(fields, models, pictures, call);
}
