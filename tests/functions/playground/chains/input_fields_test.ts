/** Laws of the forms of chains. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import {
  type ChainInfo,
  CHAINS,
} from "../../../../deploy/workflows/schema/chains.ts";
import { bodySchema } from "../../../../functions/workflows/chain_input.ts";
import {
  type InputField,
  inputFields,
  type InputSchema,
  valueOf,
} from "../../../../functions/playground/chains/input_fields.js";

/** Returns the fields of a chain's form. */
function fieldsOf(info: ChainInfo): InputField[] {
  const schema = toJsonSchema(bodySchema(info), { typeMode: "input" });
  return inputFields(schema as InputSchema);
}

/** Texts that a person may type into required fields, by kind. */
const TYPED: Readonly<Record<string, string>> = {
  long: "a rocket above a tree",
  text: "photos",
  lines: "a cat\n\n two cats \n",
  questions: "How many? = two, 2",
  number: "3",
};

for (const [name, info] of Object.entries<ChainInfo>(CHAINS)) {
  Deno.test(`the form of ${name} has every required field first, and its values are valid`, () => {
    const fields = fieldsOf(info);
    const required = fields.filter(({ required }) => required);
    ok(required.length > 0);
    ok(required.every(({ first }) => first));
    const input = Object.fromEntries(required.map((field) => [
      field.name,
      field.kind === "image" ? "" : valueOf(field, TYPED[field.kind]!),
    ]));
    if (name === "remix") {
      // The server encodes the image in place of codes.
      deepStrictEqual(Object.keys(input), ["image"]);
      return;
    }
    const parsed = v.safeParse(info.input, input);
    ok(parsed.success, JSON.stringify(parsed.issues?.[0]?.message));
  });
}

Deno.test("valueOf() leaves out empty fields, whose defaults apply", () => {
  for (
    const kind of ["text", "long", "number", "lines", "questions"] as const
  ) {
    strictEqual(valueOf({ kind }, "  \n "), undefined);
  }
});

Deno.test("valueOf() reads lines, questions with their answers, numbers and checks", () => {
  deepStrictEqual(valueOf({ kind: "lines" }, "a\r\n\n b "), ["a", "b"]);
  deepStrictEqual(
    valueOf({ kind: "questions" }, "Is 1 = 1? = yes, it is\nWhat?"),
    [
      { question: "Is 1 = 1?", expect: ["yes", "it is"] },
      { question: "What?", expect: [] },
    ],
  );
  strictEqual(valueOf({ kind: "number" }, " 2.5 "), 2.5);
  strictEqual(valueOf({ kind: "check" }, "true"), true);
  strictEqual(valueOf({ kind: "check" }, "false"), false);
});
