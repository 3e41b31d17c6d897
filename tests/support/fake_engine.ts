/**
 * The engine on a fake decoder.
 *
 * @module
 */

import { Engine } from "../../lib/engine/engine.ts";
import type { Policy } from "../../lib/engine/policy.ts";
import type { EngineRequest } from "../../lib/engine/sequence.ts";
import {
  FakeDecoder,
  type FakeDecoderOptions,
  type FakeSnapshot,
} from "./fake_decoder.ts";

/** Creates an engine whose clock advances by a millisecond at each reading. */
export function engineOn(
  options: Partial<FakeDecoderOptions> = {},
  { queueLimit = 64, cacheTokens = 256 } = {},
): { decoder: FakeDecoder; engine: Engine<FakeSnapshot> } {
  const decoder = new FakeDecoder({
    slots: 4,
    contextLength: 64,
    ...options,
  });
  let time = 0;
  const now = () => time++;
  const engine = new Engine(decoder, { queueLimit, cacheTokens, now });
  return { decoder, engine };
}

/** Creates a request whose prompts are fully shareable. */
export function requestOf(
  prompts: readonly (readonly number[])[],
  policy: Policy,
  maxNewTokens = 8,
  long = false,
): EngineRequest {
  return {
    prompts: prompts.map((tokens) => ({
      tokens: Int32Array.from(tokens),
      prefixBoundaries: [tokens.length],
    })),
    maxNewTokens,
    policy,
    long,
  };
}
