import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import * as v from "valibot";
import { parseFields } from "../../../../functions/http/body.ts";
import { ChatRequest } from "../../../../functions/compat/openai/chat_request.ts";
import { ImageRequest } from "../../../../functions/compat/openai/images/image_request.ts";
import {
  seedOf,
  topPOf,
  WideSeed,
  WideTopP,
} from "../../../../functions/compat/openai/ranges.ts";
import { InvalidFieldsError } from "../../../../functions/http/errors/errors.ts";
import { Seed, TopP } from "../../../../functions/schema/common.ts";

Deno.test("seedOf() maps every signed 64-bit seed to a seed in range", () => {
  const bits = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(fc.property(bits, (seed) => {
    const parsed = v.parse(WideSeed, JSON.parse(`${seed}`));
    ok(v.is(Seed, seedOf(parsed)));
  }));
});

Deno.test("seedOf() keeps seeds in range, and distinguishes signs", () => {
  const own = fc.maxSafeNat();
  fc.assert(fc.property(own, (seed) => strictEqual(seedOf(seed), seed)));
  deepStrictEqual([-1, -2].map(seedOf), [2 ** 53 - 1, 2 ** 53 - 2]);
  strictEqual(seedOf(undefined), undefined);
});

Deno.test("WideSeed refuses fractions and seeds beyond 64 bits", () => {
  for (const seed of [2 ** 64, -(2 ** 64), 0.5, "7", NaN]) {
    strictEqual(v.is(WideSeed, seed), false);
  }
});

Deno.test("topPOf() maps 0 to the smallest share", () => {
  ok(v.is(WideTopP, 0));
  ok(v.is(TopP, topPOf(0)));
  deepStrictEqual([0.5, 1, undefined].map(topPOf), [0.5, 1, undefined]);
});

Deno.test("OpenAI's requests accept OpenAI's ranges, and null for n", () => {
  const fields = { seed: -(2 ** 63), "top_p": 0, n: null, stop: null };
  ok(v.is(ImageRequest, { prompt: "a", ...fields }));
  const messages = [{ role: "user", content: "a" }];
  ok(v.is(ChatRequest, { messages, ...fields }));
});

Deno.test("ImageRequest reports an invalid size with the valid forms", () => {
  for (const size of ["large", "64X64", "1024", "", "1x1x1", "0x64"]) {
    try {
      parseFields(ImageRequest, { prompt: "a", size });
      ok(false);
    } catch (error) {
      ok(error instanceof InvalidFieldsError);
      deepStrictEqual(error.fields, [{
        pointer: "/size",
        detail:
          'expected "auto", or width and height in pixels such as "1024x768"',
      }]);
    }
  }
});
