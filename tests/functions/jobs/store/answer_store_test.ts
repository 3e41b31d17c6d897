import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { newJob, openTables } from "../../../support/job_tables.ts";

const anyAnswer = fc.record({
  status: fc.constantFrom(200, 202),
  headers: fc.constantFrom({}, { "content-type": "image/png" }),
  body: fc.uint8Array() as fc.Arbitrary<Uint8Array<ArrayBuffer>>,
}, { noNullPrototype: true });

const anyName = fc.constantFrom("a", "b");

Deno.test("AnswerStore finds the last stored use of each key, per principal", () => {
  const anyChange = fc.record({
    principal: anyName,
    key: anyName,
    answer: fc.option(anyAnswer, { nil: undefined }),
  });
  fc.assert(fc.property(fc.array(anyChange, { maxLength: 12 }), (changes) => {
    using tables = openTables();
    const { answers } = tables;
    const model = new Map<string, unknown>();
    for (const { principal, key, answer } of changes) {
      const use = { principal, key, fingerprint: "f" };
      if (answer === undefined) answers.free(principal, key);
      else answers.keep(use, answer, 1);
      model.set(principal + key, answer);
    }
    for (const principal of ["a", "b"]) {
      for (const key of ["a", "b"]) {
        const known = answers.find(principal, key);
        deepStrictEqual(known?.answer, model.get(principal + key));
      }
    }
  }));
});

Deno.test("AnswerStore finds the job of a key before and after its answer", () => {
  using tables = openTables();
  const { answers, jobs } = tables;
  const use = { principal: "p", key: "k", fingerprint: "f" };
  jobs.insert(newJob("a"));
  answers.link(use, "a", 1);
  const linked = { fingerprint: "f", job: "a", answer: undefined };
  deepStrictEqual(answers.find("p", "k"), linked);
  const answer = { status: 202, headers: {}, body: new Uint8Array(2) };
  answers.keep(use, answer, 1);
  deepStrictEqual(answers.find("p", "k"), { ...linked, answer });
  jobs.remove("a");
  strictEqual(answers.find("p", "k"), undefined);
});
