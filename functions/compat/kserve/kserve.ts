/**
 * The Open Inference Protocol (KServe V2), with binary tensors.
 *
 * Every function is a model of its own name:
 *
 * ```text
 * generate     prompt                      → image, codes
 * caption      image or codes, question    → text
 * tokenize     image → codes, text → tokens
 * detokenize   codes                       → image
 * ```
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { AppEnv } from "../../http/context.ts";
import {
  modelDescriptions,
  serverDescription,
  serverLiveDescription,
  serverReadyDescription,
} from "../../openapi/description/inference.ts";
import type { Drain } from "../../middleware/drain.ts";
import type { FunctionName } from "../../schema/common.ts";
import { mediaType } from "../../http/body.ts";
import type {
  Captioners,
  ImageGenerators,
  Listing,
  Tokenizers,
} from "../../models/ports.ts";
import { isReady } from "../../health.ts";
import {
  DrainingError,
  MediaTypeError,
  UnknownModelError,
} from "../../http/errors/errors.ts";
import { VERSION } from "../../../lib/version.ts";
import { captionModel } from "./caption_model.ts";
import { readCompressed } from "./compressed_body.ts";
import { detokenizeModel } from "./detokenize_model.ts";
import { generateModel } from "./generate_model.ts";
import { writeInferAnswer } from "./infer_answer.ts";
import { HEADER_LENGTH, readInferRequest } from "./infer_request.ts";
import { checkTensors, type ServedModel } from "./served_model.ts";
import { tokenizeModel } from "./tokenize_model.ts";
import type { Problem } from "../../http/errors/problem.ts";

/** The services behind the models. */
export interface KserveServices
  extends ImageGenerators, Captioners, Tokenizers, Listing {}

/** Media type of JSON followed by raw bytes. */
const BINARY_TYPE = "application/octet-stream";

/** Media types of a body; clients send none or any of these. */
const BODY_TYPES: ReadonlySet<string> = new Set([
  "",
  "application/json",
  BINARY_TYPE,
]);

/** Returns the routes, ready to mount. */
export function kserve(
  services: KserveServices,
  functions: ReadonlySet<FunctionName>,
  drain: Drain,
): Hono<AppEnv> {
  const models = servedModels(services)
    .filter(({ name }) => functions.has(name));
  const find = (c: Context<AppEnv>) => findModel(c, models);
  const routes = new Hono<AppEnv>()
    .get("/v2", serverDescription, (c) =>
      c.json({
        name: "emu3",
        version: VERSION,
        extensions: ["binary_tensor_data"],
      }))
    .get(
      "/v2/health/live",
      serverLiveDescription,
      (c) => c.json({ live: true }),
    )
    .get("/v2/health/ready", serverReadyDescription, (c) => {
      const ready = isReady(services, drain);
      return c.json({ ready }, ready ? 200 : 503);
    });
  for (const path of MODEL_PATHS) {
    const description = modelDescriptions(
      models.map(nameOf),
      path.includes(":version"),
    );
    routes
      .get(path, description.metadata, (c) => c.json(metadata(find(c))))
      .get(`${path}/ready`, description.ready, (c) => {
        const { name, checkReady } = find(c);
        checkReady();
        if (drain.draining) throw new DrainingError();
        return c.json({ name, ready: true });
      })
      .post(
        `${path}/infer`,
        description.infer,
        (c) => infer(c, find(c), services),
      );
  }
  return routes;
}

/** The paths of a model, with and without its version. */
const MODEL_PATHS = [
  "/v2/models/:model",
  "/v2/models/:model/versions/:version",
] as const;

function servedModels(services: KserveServices): ServedModel[] {
  return [
    generateModel(services),
    captionModel(services),
    tokenizeModel(services),
    detokenizeModel(services),
  ];
}

function findModel(
  c: Context<AppEnv>,
  models: readonly ServedModel[],
): ServedModel {
  const name = c.req.param("model") ?? "";
  const version = c.req.param("version");
  const model = models.find((model) =>
    model.name === name && (version === undefined || version === model.version)
  );
  if (model !== undefined) return model;
  const path = version === undefined ? name : `${name}/versions/${version}`;
  throw new UnknownModelError(path.slice(0, 256), models.map(nameOf));
}

function metadata({ name, version, inputs, outputs }: ServedModel) {
  return { name, versions: [version], platform: "emu3", inputs, outputs };
}

async function infer(
  c: Context<AppEnv>,
  model: ServedModel,
  { limits }: KserveServices,
): Promise<Response> {
  if (!BODY_TYPES.has(mediaType(c.req.raw))) {
    const types = [...BODY_TYPES].filter((type) => type !== "");
    throw new MediaTypeError(
      `supported media types are ${types.join(" and ")}`,
    );
  }
  const body = await readCompressed(c.req.raw, limits.maxBodyBytes);
  const request = await readInferRequest(body, c.req.header(HEADER_LENGTH));
  checkTensors(model, request);
  const wants = (name: string) =>
    request.outputs.length === 0 ||
    request.outputs.some((output) => output.name === name);
  const { inputs, parameters } = request;
  const call = c.get("call");
  const inferred = await model.infer({ inputs, parameters, wants, call });
  const outputs = inferred.outputs.filter(([name]) => wants(name));
  const answer = writeInferAnswer(model, request, outputs, inferred.parameters);
  const { headerLength } = answer;
  return headerLength === undefined
    ? c.body(answer.body, 200, { "content-type": "application/json" })
    : c.body(answer.body, 200, {
      "content-type": BINARY_TYPE,
      [HEADER_LENGTH]: `${headerLength}`,
    });
}

function nameOf({ name }: ServedModel): FunctionName {
  return name;
}

/** Returns true if a path belongs to this protocol. */
export function isKservePath(path: string): boolean {
  return path === "/v2" || path.startsWith("/v2/");
}

/** Returns `problem` with its message in the member that these clients read. */
export function kserveProblem(
  problem: Problem,
): Omit<Problem, "error"> & { readonly error: string } {
  return { ...problem, error: problem.detail };
}
