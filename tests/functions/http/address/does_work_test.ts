import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { doesWork } from "../../../../functions/http/address/route_path.ts";

Deno.test("doesWork() counts every POST and PUT except cancellations", () => {
  const anyPath = fc.webPath();
  fc.assert(fc.property(anyPath, (path) => {
    strictEqual(doesWork("POST", path), true);
    strictEqual(doesWork("PUT", path), true);
    strictEqual(doesWork("GET", path), false);
    strictEqual(doesWork("DELETE", path), false);
  }));
  for (const base of ["", "/v1"]) {
    strictEqual(doesWork("POST", `${base}/predictions/a/cancel`), false);
    // Creates a prediction named "cancel".
    strictEqual(doesWork("PUT", `${base}/predictions/cancel`), true);
    strictEqual(doesWork("POST", `${base}/predictions/cancel`), true);
    strictEqual(doesWork("POST", `${base}/models/a/cancel`), true);
  }
});
