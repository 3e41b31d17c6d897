/**
 * The size of the KV cache and the type of its elements.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import { type Dtype, DTYPE_BYTES } from "../../models/graph/dtype.ts";
import {
  type CacheDtype,
  type Provider,
  supportedCacheDtypes,
} from "../runtime/provider.ts";
import { BLOCK_TOKENS } from "../decoder/device_cache.ts";
import { cacheBytesPerToken } from "../decoder/kv_cache.ts";

/** Options of {@linkcode cacheSize}. */
export interface CacheSizeOptions {
  /** Bytes that keys and values of all sequences may take together. */
  readonly cacheBytes: number;
  /** Element type; undefined to choose one by the memory. */
  readonly cacheDtype?: CacheDtype | undefined;
  /** Number of sequences that may run together. */
  readonly slots: number;
}

/** The capacity of the KV cache and the type of its elements. */
export interface CacheSize {
  /** Element type of the cache. */
  readonly dtype: CacheDtype;
  /** Bytes of one token. */
  readonly tokenBytes: number;
  /** Number of tokens of all sequences together. */
  readonly tokens: number;
  /**
   * Number of tokens of one sequence: the model's training length, or the
   * memory's capacity.
   */
  readonly positions: number;
}

/**
 * The share of the cache that two sequences of full length may take in the
 * preferred type.
 */
const SINGLE_SHARE = 1 / 2;

/**
 * Returns the size of the cache. Its type is the smaller one if a guided
 * picture of full length would take most of the memory in the device's
 * preferred type: the cache then holds more tokens, and attention on a CPU is
 * slightly slower.
 *
 * @throws {RangeError} If the memory is too small for one slot, or the device
 * does not support attention in the given type.
 */
export function cacheSize(
  config: LanguageConfig,
  provider: Pick<
    Provider,
    "name" | "cacheDtypes" | "int8Cache" | "deviceMemory"
  >,
  options: CacheSizeOptions,
): CacheSize {
  const { maxPositions } = config;
  const { cacheBytes, slots } = options;
  const dtype = cacheDtypeOf(config, provider, options);
  const tokenBytes = cacheBytesPerToken(config, dtype);
  const held = Math.floor(cacheBytes / tokenBytes);
  // A device's slots grow by blocks, and the last one may be almost empty.
  const block = Math.min(BLOCK_TOKENS, maxPositions);
  const tokens = provider.deviceMemory === undefined
    ? held
    : held - (slots + 1) * block;
  if (tokens < 2) {
    const least = Math.ceil(tokenBytes * (2 + held - tokens));
    throw new RangeError(
      `Cannot use a KV cache of ${cacheBytes} bytes: one token takes ${tokenBytes} bytes; set KV_BYTES to ${least} or more`,
    );
  }
  return {
    dtype,
    tokenBytes,
    tokens,
    positions: Math.min(maxPositions, tokens),
  };
}

/** The names of types in messages. */
const SHORT: ReadonlyMap<Dtype, string> = new Map([
  ["float32", "fp32"],
  ["float16", "fp16"],
  ["bfloat16", "bf16"],
  ["int8", "int8"],
]);

function cacheDtypeOf(
  config: LanguageConfig,
  provider: Pick<Provider, "name" | "cacheDtypes" | "int8Cache">,
  { cacheBytes, cacheDtype }: CacheSizeOptions,
): CacheDtype {
  const { name, cacheDtypes } = provider;
  if (cacheDtype !== undefined) {
    const supported = supportedCacheDtypes(provider);
    if (supported.includes(cacheDtype)) return cacheDtype;
    const offered = new Intl.ListFormat("en", { type: "disjunction" })
      .format(supported.map((dtype) => SHORT.get(dtype)!));
    throw new RangeError(
      `Cannot use a KV cache in ${
        SHORT.get(cacheDtype)
      } on ${name}: supported formats are ${offered}; unset KV_PRECISION`,
    );
  }
  const first = cacheDtypes[0]!;
  const guided = 2 * config.maxPositions * cacheBytesPerToken(config, first);
  if (guided <= SINGLE_SHARE * cacheBytes) return first;
  const smaller = cacheDtypes.find((dtype) =>
    DTYPE_BYTES[dtype] < DTYPE_BYTES[first]
  );
  return smaller ?? first;
}
