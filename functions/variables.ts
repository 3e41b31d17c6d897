/**
 * The environment variables of a server, with their meanings, defaults and
 * parsers.
 *
 * @module
 */

import { STRATEGY_NAMES } from "../lib/drawing/strategy.ts";
import { apiKeys } from "./middleware/api_keys.ts";
import { DEFAULT_MAX_FRAMES } from "./inference/frame_limit.ts";
import { FUNCTION_NAMES } from "./schema/function_names.ts";
import { CALLER_VARIABLES, publicUrl } from "./config/caller_variables.ts";
import { modelAliases } from "./models/model_aliases.ts";
import { rateLimit } from "./middleware/rate_limit.ts";
import { RUNPOD_VARIABLES } from "./runpod/variables.ts";
import { MOST_FRAMES } from "./schema/tokenize.ts";
import {
  CACHE_DTYPES,
  cacheDtype,
  choice,
  count,
  flag,
  functions,
  logFormat,
  port,
  precision,
  seconds,
  source,
  strategy,
  type Variable,
  verification,
  webhookSecret,
  whole,
} from "./config/variable_parsers.ts";

const MEBIBYTE = 2 ** 20;

/** The embedded models, located beside the code from any working directory. */
const EMBEDDED = new URL("../models/emu3-mini", import.meta.url).pathname;

/** The variables, in the order that `--help` lists them. */
export const VARIABLES = {
  MODEL: source(
    "folder, org/name[@revision] or URL (s3, gs, https) of a language model that draws and answers",
  ),
  GEN_MODEL: source(
    "folder, org/name[@revision] or URL (s3, gs, https) of the language model that draws",
  ),
  CHAT_MODEL: source(
    "folder, org/name[@revision] or URL (s3, gs, https) of the one that answers",
  ),
  VISION_MODEL: {
    ...source(
      "folder, org/name[@revision] or URL (s3, gs, https) of the vision tokenizer",
    ),
    unset: "in the language model's folder, else beside it (…VisionTokenizer)",
  },
  MODEL_ALIASES: {
    meaning:
      "other names of models, with commas: gpt-image-1=emu3-mini,dall-e-3=emu3-mini",
    unset: "none, models go by the names of their folders",
    parse: modelAliases,
  },
  MODEL_DIR: {
    meaning: "folder of models by name, looked into before any other",
    unset: "/mnt/models and /repository, where they are mounted",
    parse: (text) => text,
  },
  MODEL_CACHE: {
    meaning: "Hugging Face cache that downloads are kept in",
    unset: "HF_HUB_CACHE",
    parse: (text) => text,
  },
  HF_HUB_CACHE: {
    meaning: "Hugging Face cache that is looked into",
    unset: "hub in HF_HOME",
    parse: (text) => text,
  },
  HF_HOME: {
    meaning: "folder of Hugging Face's tools: their cache and their token",
    unset: "huggingface in the cache folder",
    parse: (text) => text,
  },
  HF_ENDPOINT: {
    meaning: "hub that org/name is downloaded from",
    unset: "https://huggingface.co",
    parse: publicUrl,
  },
  HF_TOKEN: {
    meaning: "who downloads, for what is not public",
    unset: "what HF_TOKEN_PATH holds, else token in HF_HOME",
    parse: (text) => text,
  },
  HF_HUB_OFFLINE: {
    meaning: "1 to download nothing from a hub",
    unset: "0",
    parse: (text) => text,
  },
  VERIFY: {
    meaning: "full to read downloads again at the start and compare hashes",
    unset: "sizes and times are compared",
    parse: verification,
  },
  FUNCTIONS: {
    meaning: "which functions are served; only what they need is loaded",
    unset: FUNCTION_NAMES.join(","),
    parse: functions,
  },
  DEVICE: {
    ...choice("where models run", "auto", ["auto", "cpu", "cuda", "webgpu"]),
    unset: "auto: an NVIDIA GPU that can be used, else the CPU",
  },
  PRECISION: {
    meaning:
      "weights of language models: fp32 (cpu, webgpu), bf16 (cuda), fp16 (webgpu), int8, int4; the last two make a copy at the first start",
    unset: "fp32, on cuda bf16; few bits where the checkpoint has few",
    parse: precision,
  },
  PORT: port("port to listen on, 0 for any free one", "AIP_HTTP_PORT or 8080"),
  AIP_HTTP_PORT: port("the same, as Vertex AI names it", "8080"),
  PORT_HEALTH: port("another port, for health alone", "none"),
  HOST: {
    meaning: "address to listen on",
    unset: "127.0.0.1",
    parse: (text) => text ?? "127.0.0.1",
  },
  THREADS: count(
    "threads that compute",
    "one a CPU, as far as the container allows",
    1,
  ),
  SLOTS: {
    ...count("sequences decoded together; a guided picture takes two", "16", 2),
    parse: (text) => whole(text, 2) ?? 16,
  },
  QUEUE_LIMIT: {
    ...count(
      "requests of one caller that may wait; a third more in all",
      "32",
      1,
    ),
    parse: (text) => whole(text, 1) ?? 32,
  },
  KV_BYTES: count(
    "bytes for keys and values, of all language models together",
    "a quarter of the memory, of a device's where models run on one",
    1,
  ),
  KV_PRECISION: {
    meaning: `numeric format of keys and values: ${
      [...CACHE_DTYPES.keys()].join(", ")
    }`,
    unset:
      "fp32, or fp16 where one long picture would take half of KV_BYTES; on cuda bf16",
    parse: cacheDtype,
  },
  GPU_MEMORY_BYTES: count(
    "bytes of a device's memory to use",
    "what is free on cuda; on webgpu nobody knows",
    1,
  ),
  ONNXRUNTIME_DIR: {
    meaning: "folder of another ONNX Runtime 1.30, with its providers",
    unset: "that of the npm package",
    parse: (text) => text,
  },
  STRATEGY: {
    meaning: `how pictures are drawn unless a request says otherwise: ${
      STRATEGY_NAMES.join(", ")
    }`,
    unset: "what is fastest for the device",
    parse: strategy,
  },
  API_KEYS: {
    meaning: "keys that callers must show, with commas, plain or sha256:<hex>",
    unset: "none, everybody who reaches the port may call",
    parse: apiKeys,
  },
  RATE_LIMIT: {
    meaning:
      "POST and PUT requests that a key, else an address may make: 10/s, 60/m, 1000/h, …",
    unset: "no limit",
    parse: rateLimit,
  },
  ALLOW_URL_INPUTS: {
    meaning:
      "1 to call https URLs in requests: pictures to fetch, webhooks to tell",
    unset: "0",
    parse: flag,
  },
  ...CALLER_VARIABLES,
  MAX_BODY_BYTES: {
    ...count("bytes a body may have", `${32 * MEBIBYTE}`, 1),
    parse: (text) => whole(text, 1) ?? 32 * MEBIBYTE,
  },
  BODY_BYTES: count(
    "bytes of request bodies that one caller may have under way",
    "four times MAX_BODY_BYTES",
    1,
  ),
  UNREAD_BYTES: {
    ...count("bytes of answers that one caller may leave unread", "", 1),
    unset: `${128 * MEBIBYTE}`,
    parse: (text) => whole(text, 1) ?? 128 * MEBIBYTE,
  },
  MAX_CONNECTIONS: {
    ...count("connections that one address may hold open", "1024", 1),
    parse: (text) => whole(text, 1) ?? 1024,
  },
  MAX_PIXELS: count(
    "pixels a picture or animation may have",
    "64000000, fewer where half of the memory could not hold so many",
    1,
  ),
  MAX_FRAMES: {
    meaning:
      `frames a clip or an animation may have, ${MOST_FRAMES} at the most`,
    unset: `${DEFAULT_MAX_FRAMES}`,
    parse: (text) => whole(text, 1, MOST_FRAMES) ?? DEFAULT_MAX_FRAMES,
  },
  PIXEL_BYTES: count(
    "bytes of decoded and resized pixels that all requests hold together, at least 28 times MAX_PIXELS",
    "an eighth of the memory",
    1,
  ),
  CODEC_THREADS: count(
    "threads that decode and encode pictures; one of them is for small ones",
    "one a CPU, from 2 to 4",
    2,
  ),
  REQUEST_TIMEOUT_S: {
    meaning: "seconds a request may take",
    unset: "no limit",
    parse: seconds,
  },
  SHUTDOWN_GRACE_S: {
    meaning: "seconds that running requests have after a signal to stop",
    unset: "8",
    parse: (text) => seconds(text) ?? 8,
  },
  SHUTDOWN_DELAY_S: {
    meaning:
      "seconds that a server which stops goes on listening, to refuse what balancers still send",
    unset: "as long as something runs",
    parse: (text) => seconds(text) ?? 0,
  },
  STORE: {
    meaning: "file that keeps jobs and first answers, or :memory:",
    unset: "emu3/jobs.sqlite in the cache folder",
    parse: (text) => text,
  },
  STORE_BYTES: {
    ...count("bytes the store may have; what ended first goes first", "", 1),
    unset: "1073741824",
    parse: (text) => whole(text, 2 ** 20) ?? 2 ** 30,
  },
  JOB_TTL_S: {
    meaning: "seconds that jobs and first answers are kept once they ended",
    unset: "86400",
    parse: (text) => whole(text, 1) ?? 86_400,
  },
  WEBHOOK_SECRET: {
    meaning: "secret that webhooks are signed with, whsec_ and base64",
    unset: "no webhooks",
    parse: webhookSecret,
  },
  LOG: {
    meaning: "format of the log, a line a request: json, pretty",
    unset: "pretty at a terminal, json otherwise",
    parse: logFormat,
  },
  ...RUNPOD_VARIABLES,
} as const satisfies Record<string, Variable<unknown>>;

/** The folder of the embedded language model. */
export const EMBEDDED_MODEL: string = decodeURIComponent(EMBEDDED);
