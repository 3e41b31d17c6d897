import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { parse } from "smol-toml";
import { restateSettings } from "../../../deploy/workflows/restate/restate_settings.ts";

const ports = { ingress: 1081, admin: 1070, node: 1022 };

function settingsIn(folder: string): string {
  return restateSettings({ folder, identity: `${folder}/key.pem`, ports });
}

Deno.test("Restate listens on loopback only, without telemetry", () => {
  const settings = settingsIn("/data");
  const addresses = [...settings.matchAll(/^bind-address = "(.*)"$/gm)]
    .map(([, address]) => address);
  deepStrictEqual(addresses.sort(), [
    "127.0.0.1:1022",
    "127.0.0.1:1070",
    "127.0.0.1:1081",
  ]);
  const parsed = parse(settings);
  strictEqual(parsed["listen-mode"], "tcp");
  strictEqual(parsed["disable-telemetry"], true);
});

Deno.test("the memory limits of Restate are below 1 GiB in all", () => {
  const limits = [
    ...settingsIn("/data").matchAll(/= "(\d+)\.0 MiB"$/gm),
  ];
  const sum = limits.reduce((sum, [, size]) => sum + Number(size), 0);
  ok(limits.length > 4 && sum < 1024, `${sum} MiB`);
});

Deno.test("a folder with any characters is kept", () => {
  for (const folder of ['/a "b"', "/a\\b", "/ü 漢", "/a#b"]) {
    strictEqual(parse(settingsIn(folder))["base-dir"], folder);
  }
});
