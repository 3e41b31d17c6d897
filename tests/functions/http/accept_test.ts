import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { acceptedTypes, negotiate } from "../../../functions/http/accept.ts";
import { NotAcceptableError } from "../../../functions/http/errors/errors.ts";

const offered = ["application/json", "image/png", "image/jpeg"] as const;

Deno.test("negotiate() returns the first offer without an Accept header", () => {
  strictEqual(negotiate(undefined, offered), "application/json");
  strictEqual(negotiate("*/*", offered), "application/json");
});

Deno.test("negotiate() returns the type of the highest quality", () => {
  strictEqual(
    negotiate("image/png;q=0.5, image/jpeg;q=0.9", offered),
    "image/jpeg",
  );
  strictEqual(negotiate("*/*;q=0.1, image/*", offered), "image/png");
  strictEqual(negotiate("IMAGE/PNG ; Q=1.0", offered), "image/png");
});

Deno.test("negotiate() prefers the exact range among equals", () => {
  strictEqual(negotiate("*/*, image/jpeg", offered), "image/jpeg");
});

Deno.test("negotiate() excludes types of quality zero", () => {
  strictEqual(negotiate("application/json;q=0, */*", offered), "image/png");
  throws(() => negotiate("*/*;q=0", offered), NotAcceptableError);
});

Deno.test("negotiate() lists the offers when none is accepted", () => {
  throws(
    () => negotiate("video/mp4, nonsense, text/", offered),
    (error) =>
      error instanceof NotAcceptableError &&
      offered.every((type) => error.message.includes(type)),
  );
});

Deno.test("acceptedTypes() returns the covered offers, the preferred first", () => {
  deepStrictEqual(acceptedTypes(undefined, offered), offered);
  deepStrictEqual(
    acceptedTypes("image/jpeg, application/*;q=0.2, image/png;q=0", offered),
    ["image/jpeg", "application/json"],
  );
  deepStrictEqual(
    acceptedTypes("*/*;q=0.5, image/png;q=0.5", offered),
    ["image/png", "application/json", "image/jpeg"],
  );
});
