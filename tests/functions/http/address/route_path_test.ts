import { match, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { createApp } from "../../../../functions/app.ts";
import { apiKeys } from "../../../../functions/middleware/api_keys.ts";
import {
  canonicalPath,
  unknownPath,
} from "../../../../functions/http/address/route_path.ts";
import {
  appOptions,
  json,
  openTinyServer,
} from "../../../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

Deno.test("canonicalPath() corrects paths that clients join to a base URL", () => {
  for (
    const path of [
      "/v1/models",
      "//v1/models",
      "/v1//models",
      "/v1/models/",
      "/v1/models//",
      "/v1/v1/models",
      "/v1//v1/v1/models/",
    ]
  ) {
    strictEqual(canonicalPath(path), "/v1/models");
  }
  strictEqual(canonicalPath("/mcp/"), "/mcp");
  strictEqual(canonicalPath("//predictions"), "/predictions");
});

Deno.test("canonicalPath() is idempotent, and keeps other paths", () => {
  const part = fc.constantFrom("v1", "v2", "", "models", "docs", "v10", "mcp");
  fc.assert(fc.property(fc.array(part), (parts) => {
    const once = canonicalPath(`/${parts.join("/")}`);
    strictEqual(canonicalPath(once), once);
  }));
  for (const path of ["/", "//", "/docs/", "//metrics", "/v10/", "/page//a"]) {
    strictEqual(canonicalPath(path), path);
  }
});

Deno.test("unknownPath() suggests the probable path", () => {
  const known = ["/v1/chat/completions", "/docs", "/v1/jobs/:id", "*"];
  const told = (path: string) => unknownPath(path, known);
  match(told("/chat/completions"), /: did you mean \/v1\/chat\/completions\?$/);
  match(told("/v1/chat/completion"), /did you mean \/v1\/chat\/completions\?$/);
  match(told("/v1/completions"), /did you mean \/v1\/chat\/completions\?$/);
  match(told("/docs/"), /did you mean \/docs\?$/);
  for (const path of ["/wp-admin/setup.php", "/", `/${"v1/".repeat(2000)}`]) {
    match(told(path), /^No route matches .*; see \/docs$/);
  }
});

Deno.test("App answers every accepted spelling of a path, with its limits", async () => {
  const body = { text: "a" };
  for (const path of ["//v1/tokenize", "/v1/tokenize/", "/v1/v1/tokenize"]) {
    const url = `http://localhost${path}?special=true`;
    const answer = await server.app.request(url, json(body));
    strictEqual(answer.status, 200, path);
    strictEqual((await server.app.request(url)).status, 405);
    const asked = json(body, { prefer: "respond-async, wait=60" });
    const job = await server.app.request(url, asked);
    strictEqual(job.headers.get("preference-applied") !== null, true);
    strictEqual(job.status, 200);
  }
  const { options } = appOptions({ apiKeys: apiKeys("secret") });
  const app = createApp(server.services, options, server.jobs);
  for (const path of ["//v1/models", "/v1/v1/models", "/v1/models/"]) {
    const url = `http://localhost${path}`;
    strictEqual((await app.request(url)).status, 401);
  }
});

Deno.test("App refuses an unknown path with the nearest known one", async () => {
  const answer = await server.app.request("/images/generations", json({}));
  strictEqual(answer.status, 404);
  strictEqual(
    (await answer.json()).detail,
    "No route matches /images/generations: did you mean /v1/images/generations?",
  );
});
