import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as v from "valibot";
import { CHAINS } from "../../../deploy/workflows/schema/chains.ts";

const ROOT = new URL("../../../", import.meta.url);
const page = Deno.readTextFileSync(new URL("deploy/docs/workflows.md", ROOT));

Deno.test("workflows.md describes every chain, in the order of the list", () => {
  const [, part = ""] = page.split(/^## /m);
  const titles = [...part.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  deepStrictEqual(titles, Object.keys(CHAINS));
});

Deno.test("the bodies of workflows.md are inputs of their chains", () => {
  const bodies = [...page.matchAll(
    /-d '(\{.*?\})' \\\s+\S*\/v1\/workflows\/(\w+)$/gms,
  )];
  strictEqual(bodies.length, Object.keys(CHAINS).length - 1);
  for (const [, body, chain] of bodies) {
    const { input } = CHAINS[chain as keyof typeof CHAINS];
    const { success, issues } = v.safeParse(input, JSON.parse(body!));
    ok(success, `${chain}: ${issues?.map(({ message }) => message)}`);
  }
});

Deno.test("workflows.md shows the example of a chain as it is", () => {
  const path = new URL("deploy/workflows/examples/seasons.ts", ROOT);
  const code = Deno.readTextFileSync(path);
  ok(page.includes(code.slice(code.indexOf("import * as v")).trimEnd()));
});
