import { deepStrictEqual } from "node:assert/strict";
import * as limits from "../../../functions/http/body_limits.ts";

Deno.test("functions/README lists every limit of a body", () => {
  const text = Deno.readTextFileSync(
    new URL("../../../functions/README.md", import.meta.url),
  );
  const listed = text.matchAll(/^\| `(MAX_\w+)` *\| (\d+) /gm);
  deepStrictEqual(
    Object.fromEntries([...listed].map(([, name, value]) => [name, +value!])),
    { ...limits },
  );
});
