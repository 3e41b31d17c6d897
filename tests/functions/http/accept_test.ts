import { strictEqual, throws } from "node:assert/strict";
import { negotiate } from "../../../functions/http/accept.ts";
import { NotAcceptableError } from "../../../functions/http/errors/errors.ts";

const offered = ["application/json", "image/png", "image/jpeg"] as const;

Deno.test("negotiate() takes the first offer when nothing is asked", () => {
  strictEqual(negotiate(undefined, offered), "application/json");
  strictEqual(negotiate("*/*", offered), "application/json");
});

Deno.test("negotiate() takes what has the highest quality", () => {
  strictEqual(
    negotiate("image/png;q=0.5, image/jpeg;q=0.9", offered),
    "image/jpeg",
  );
  strictEqual(negotiate("*/*;q=0.1, image/*", offered), "image/png");
  strictEqual(negotiate("IMAGE/PNG ; Q=1.0", offered), "image/png");
});

Deno.test("negotiate() takes what is named exactly among equals", () => {
  strictEqual(negotiate("*/*, image/jpeg", offered), "image/jpeg");
});

Deno.test("negotiate() leaves out what has quality zero", () => {
  strictEqual(negotiate("application/json;q=0, */*", offered), "image/png");
  throws(() => negotiate("*/*;q=0", offered), NotAcceptableError);
});

Deno.test("negotiate() lists what there is when nothing fits", () => {
  throws(
    () => negotiate("video/mp4, nonsense, text/", offered),
    (error) =>
      error instanceof NotAcceptableError &&
      offered.every((type) => error.message.includes(type)),
  );
});
