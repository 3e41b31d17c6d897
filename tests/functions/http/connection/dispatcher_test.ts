import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Dispatcher } from "../../../../functions/http/connection/dispatcher.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("Dispatcher begins all requests, in order of arrival", async () => {
  const dispatcher = new Dispatcher();
  const begun: number[] = [];
  for (let i = 0; i < 100; i++) dispatcher.run(() => begun.push(i), false);
  ok(begun.length < 10, "not all in one turn");
  while (dispatcher.waiting > 0) await turn();
  deepStrictEqual(begun, Array.from({ length: 100 }, (_, i) => i));
});

Deno.test("Dispatcher begins urgent and single requests at once", async () => {
  const dispatcher = new Dispatcher();
  let begun = 0;
  const count = () => void begun++;
  dispatcher.run(count, false);
  strictEqual(begun, 1);
  for (let i = 0; i < 50; i++) dispatcher.run(() => {}, false);
  dispatcher.run(count, true);
  strictEqual(begun, 2);
  while (dispatcher.waiting > 0) await turn();
});
