/**
 * The environment variables that a server reads: what each means, what it is
 * when unset, and how its text is read.
 *
 * A parser throws a `SyntaxError` that says what is expected.
 *
 * @module
 */

import { STRATEGY_NAMES, type StrategyName } from "../lib/drawing/strategy.ts";
import type { CacheDtype } from "../lib/engine/kv_cache.ts";
import { apiKeys } from "./api_keys.ts";
import { FUNCTION_NAMES, type FunctionName } from "./function_names.ts";
import { type Precision, PRECISIONS } from "./precision.ts";
import { rateLimit } from "./rate_limit.ts";
import { RUNPOD_VARIABLES } from "./runpod/variables.ts";

/** An environment variable. */
export interface Variable<T> {
  /** What it sets, for people. */
  readonly meaning: string;
  /** What holds when it is unset, for people. */
  readonly unset: string;
  /** Its value, from its text; `undefined` for unset. */
  readonly parse: (text: string | undefined) => T;
}

const MEBIBYTE = 2 ** 20;

/** Of places that models come from. */
const SCHEMES = /^(?:hf|s3|gs|https|file)$/i;

/** By the name that people use. */
const CACHE_DTYPES: ReadonlyMap<string, CacheDtype> = new Map([
  ["fp32", "float32"],
  ["fp16", "float16"],
  ["bf16", "bfloat16"],
]);

/** Folders are looked for beside the code, wherever the server is started. */
const EMBEDDED = new URL("../models/emu3-mini", import.meta.url).pathname;

/** Every variable, in the order that `--help` lists them. */
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
    ...count("requests that may wait", "32", 1),
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
      "POST requests that a key, else an address may make: 10/s, 60/m, 1000/h, …",
    unset: "no limit",
    parse: rateLimit,
  },
  ALLOW_URL_INPUTS: {
    meaning:
      "1 to call https URLs in requests: pictures to fetch, webhooks to tell",
    unset: "0",
    parse: flag,
  },
  PUBLIC_URL: {
    meaning: "where clients find this server, for URLs in answers",
    unset: "as the request was asked",
    parse: publicUrl,
  },
  TRUST_PROXY: {
    meaning:
      "proxies in front whose Forwarded and X-Forwarded-* headers are believed",
    unset: "0",
    parse: (text) => whole(text, 0) ?? 0,
  },
  CORS_ORIGINS: {
    meaning: "origins whose pages may call, with commas, or *",
    unset: "the same origin",
    parse: origins,
  },
  MAX_BODY_BYTES: {
    ...count("bytes a body may have", `${32 * MEBIBYTE}`, 1),
    parse: (text) => whole(text, 1) ?? 32 * MEBIBYTE,
  },
  MAX_PIXELS: {
    ...count("pixels a picture or animation may have", "64000000", 1),
    parse: (text) => whole(text, 1) ?? 64_000_000,
  },
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
  LOG: choice("one line a request: json, or pretty for people", "json", [
    "json",
    "pretty",
  ]),
  ...RUNPOD_VARIABLES,
} as const satisfies Record<string, Variable<unknown>>;

/** The folder of the embedded language model. */
export const EMBEDDED_MODEL: string = decodeURIComponent(EMBEDDED);

/** What it means in detail is for whoever fetches it to say. */
function source(meaning: string): Variable<string | undefined> {
  return {
    meaning,
    unset: "the embedded emu3-mini",
    parse: (text) => {
      const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text ?? "")?.[1];
      if (scheme === undefined || SCHEMES.test(scheme)) return text;
      throw new SyntaxError(
        `expected a folder, org/name, hf://, s3://, gs://, https:// or file://, not ${scheme}://`,
      );
    },
  };
}

function choice<const T extends string>(
  meaning: string,
  unset: T,
  values: readonly T[],
): Variable<T> {
  return {
    meaning: `${meaning}: ${values.join(", ")}`,
    unset,
    parse: (text) => {
      if (text === undefined) return unset;
      const value = values.find((value) => value === text);
      if (value !== undefined) return value;
      throw new SyntaxError(`expected ${values.join(" or ")}`);
    },
  };
}

function precision(text: string | undefined): Precision | undefined {
  if (text === undefined) return undefined;
  const expected = `expected ${PRECISIONS.join(", ")}`;
  const known = PRECISIONS.find((known) => known === text);
  if (known !== undefined) return known;
  throw new SyntaxError(expected);
}

function count(
  meaning: string,
  unset: string,
  least: number,
): Variable<number | undefined> {
  return { meaning, unset, parse: (text) => whole(text, least) };
}

function port(meaning: string, unset: string): Variable<number | undefined> {
  return {
    meaning,
    unset,
    parse: (text) => {
      const value = whole(text, 0);
      if (value === undefined || value <= 65_535) return value;
      throw new SyntaxError("expected a port, 0 to 65535");
    },
  };
}

function whole(text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) {
    return value;
  }
  throw new SyntaxError(`expected a whole number, ${least} or more`);
}

function seconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value <= 86_400) return value;
  throw new SyntaxError("expected seconds, 0 to 86400");
}

function functions(text: string | undefined): ReadonlySet<FunctionName> {
  if (text === undefined) return new Set(FUNCTION_NAMES);
  const names = text.split(",").map((name) => {
    const known = FUNCTION_NAMES.find((known) => known === name.trim());
    if (known !== undefined) return known;
    throw new SyntaxError(
      `expected some of ${FUNCTION_NAMES.join(", ")}, with commas`,
    );
  });
  return new Set(names);
}

function strategy(text: string | undefined): StrategyName | undefined {
  const name = STRATEGY_NAMES.find((name) => name === text);
  if (text === undefined || name !== undefined) return name;
  throw new SyntaxError(`expected ${STRATEGY_NAMES.join(" or ")}`);
}

function cacheDtype(text: string | undefined): CacheDtype | undefined {
  if (text === undefined) return undefined;
  const dtype = CACHE_DTYPES.get(text);
  if (dtype !== undefined) return dtype;
  throw new SyntaxError(`expected ${[...CACHE_DTYPES.keys()].join(" or ")}`);
}

function webhookSecret(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  // Standard Webhooks asks for 24 to 64 bytes.
  if (/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/.test(text)) return text;
  throw new SyntaxError("expected whsec_ and 24 to 64 bytes in base64");
}

function verification(text: string | undefined): "full" | undefined {
  if (text === undefined || text === "full") return text;
  throw new SyntaxError("expected full");
}

function flag(text: string | undefined): boolean {
  if (text === undefined || text === "0") return false;
  if (text === "1") return true;
  throw new SyntaxError("expected 0 or 1");
}

/** Without the slash at its end. */
function publicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (
    url !== null && /^https?:$/.test(url.protocol) &&
    url.username + url.password + url.search + url.hash === ""
  ) return url.href.replace(/\/+$/, "");
  throw new SyntaxError('expected a URL such as "https://example.org/emu3"');
}

function origins(text: string | undefined): readonly string[] {
  const list = (text ?? "").split(",").map((origin) => origin.trim())
    .filter((origin) => origin !== "");
  const bad = list.find((origin) =>
    origin !== "*" && URL.parse(origin)?.origin !== origin
  );
  if (bad === undefined) return list;
  throw new SyntaxError('expected origins such as "https://example.org", or *');
}
