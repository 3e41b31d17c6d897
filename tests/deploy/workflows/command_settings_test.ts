import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { announcement } from "../../../deploy/workflows/command/announcement.ts";
import {
  commandSettings,
  portsOf,
  USAGE,
} from "../../../deploy/workflows/command/settings.ts";

const read = (values: Readonly<Record<string, string>>) =>
  commandSettings((name) => values[name]);

Deno.test("by default a server is started, and data is in this clone", () => {
  const settings = read({});
  deepStrictEqual(settings.server, {
    type: "started",
    url: "http://127.0.0.1:8080",
    port: 8080,
  });
  ok(settings.folder.endsWith("/.cache/workflows"));
  deepStrictEqual(portsOf(settings), [
    ["PORT", 8080],
    ["WORKFLOWS_PORT", 8081],
    ["WORKFLOWS_ADMIN_PORT", 9070],
    ["WORKFLOWS_SERVICE_PORT", 9080],
    ["WORKFLOWS_NODE_PORT", 5122],
  ]);
});

Deno.test("with EMU3_URL no server is started, and PORT means nothing", () => {
  const settings = read({ "EMU3_URL": "http://gpu:8080/", PORT: "8081" });
  deepStrictEqual(settings.server, { type: "running", url: "http://gpu:8080" });
  strictEqual(portsOf(settings).length, 4);
});

Deno.test("a server on all addresses is reached on loopback", () => {
  const urls = ["0.0.0.0", "::", "[::]", "localhost", "10.0.0.1", "::1"].map(
    (HOST) => read({ HOST, PORT: "80" }).server.url,
  );
  deepStrictEqual(urls, [
    ...Array.from({ length: 4 }, () => "http://127.0.0.1:80"),
    "http://10.0.0.1:80",
    "http://[::1]:80",
  ]);
});

Deno.test("a port that is named twice is refused with both variables", () => {
  throws(
    () => read({ "WORKFLOWS_PORT": "8080" }),
    /WORKFLOWS_PORT is invalid: port 8080 is that of PORT; set one of them/,
  );
});

Deno.test("a started server with keys needs one for the chains", () => {
  throws(
    () => read({ "API_KEYS": "a" }),
    /EMU3_API_KEY is invalid: the server has API_KEYS; set it/,
  );
  strictEqual(read({ "API_KEYS": "a", "EMU3_API_KEY": "a" }).apiKey, "a");
  const elsewhere = { "API_KEYS": "a", "EMU3_URL": "http://gpu" };
  strictEqual(read(elsewhere).apiKey, undefined);
});

Deno.test("--help lists every variable of a port, with its default", () => {
  for (const [name, port] of portsOf(read({})).slice(1)) {
    ok(new RegExp(`^  ${name} .*\\(${port}\\)$`, "m").test(USAGE), name);
  }
});

Deno.test("the announcement has every address, and never the key", () => {
  const started = read({ "EMU3_API_KEY": "secret" });
  const text = announcement(started);
  for (
    const part of [
      "http://127.0.0.1:8080/",
      "http://127.0.0.1:8081",
      "http://127.0.0.1:9070/ui/",
      "http://127.0.0.1:8080/v1/workflows/imagine",
      started.folder,
    ]
  ) ok(text.includes(part), part);
  strictEqual(text.includes("secret"), false);
  const running = announcement(read({ "EMU3_URL": "http://gpu" }));
  ok(running.includes("WORKFLOWS_URL=http://127.0.0.1:8081"));
  ok(running.includes("http://127.0.0.1:8081/imagine/first/run"));
});
