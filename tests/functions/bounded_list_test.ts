import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { toJsonSchema } from "@valibot/to-json-schema";
import fc from "fast-check";
import * as v from "valibot";
import { MAX_FIELD_ERRORS } from "../../functions/http/body_limits.ts";
import {
  boundedList,
  isWholeNumber,
} from "../../functions/schema/bounded_list.ts";

const Code = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(9),
);
const bounds = { min: 1, max: 5 };
const accepts = (value: unknown) => isWholeNumber(value, 9);

const Bounded = boundedList(boundedList(Code, { ...bounds, accepts }), bounds);
const Plain = v.pipe(
  v.array(v.pipe(v.array(Code), v.minLength(1), v.maxLength(5))),
  v.minLength(1),
  v.maxLength(5),
);

const pathsOf = (result: v.SafeParseResult<v.GenericSchema>) =>
  result.issues?.map(({ type, path }) => [
    type,
    ...path?.map(({ key }) => key) ?? [],
  ]);

Deno.test("boundedList() accepts and refuses as Valibot's array does, under the same paths", () => {
  const item = fc.oneof(
    { weight: 9, arbitrary: fc.nat({ max: 9 }) },
    fc.constantFrom(-1, 10, 0.5, NaN, "1", null, [], {}, -0),
  );
  const row = fc.oneof(
    { weight: 9, arbitrary: fc.array(item, { minLength: 1, maxLength: 5 }) },
    fc.constantFrom<unknown>([], [1, 2, 3, 4, 5, 6], "1", null),
  );
  const rows = fc.oneof(
    { weight: 9, arbitrary: fc.array(row, { minLength: 1, maxLength: 5 }) },
    fc.constantFrom<unknown>([], [[1], [1], [1], [1], [1], [1]], {}, 7),
  );
  fc.assert(fc.property(rows, (value) => {
    const bounded = v.safeParse(Bounded, value, { abortPipeEarly: true });
    const plain = v.safeParse(Plain, value, { abortPipeEarly: true });
    strictEqual(bounded.success, plain.success);
    deepStrictEqual(pathsOf(bounded), pathsOf(plain));
    if (plain.success) deepStrictEqual(bounded.output, plain.output);
  }));
});

Deno.test("boundedList() has the JSON Schema of Valibot's array", () => {
  deepStrictEqual(toJsonSchema(Bounded), toJsonSchema(Plain));
});

Deno.test("boundedList() validates no item of a list that is too long", () => {
  const list = boundedList(v.string(), { max: 3, accepts: () => false });
  const untouched = new Proxy(Array(4).fill(0), {
    get: (target, key) => {
      ok(typeof key === "symbol" || key === "length", `${String(key)} is read`);
      return Reflect.get(target, key);
    },
  });
  const { issues } = v.safeParse(list, untouched);
  deepStrictEqual(issues?.map(({ type }) => type), ["max_length"]);
});

Deno.test("boundedList() stops at the limit of issues", () => {
  const most = 10 ** 6;
  const list = boundedList(boundedList(Code, { max: most }), { max: most });
  const wrong = Array(most).fill("");
  strictEqual(
    v.safeParse(list, [[], wrong, wrong]).issues?.length,
    MAX_FIELD_ERRORS,
  );
  strictEqual(v.safeParse(list, wrong).issues?.length, MAX_FIELD_ERRORS);
});
