import { deepStrictEqual, throws } from "node:assert/strict";
import {
  SERVICE_VARIABLES,
  serviceSettings,
} from "../../../deploy/workflows/variables.ts";

const read = (values: Readonly<Record<string, string>>) =>
  serviceSettings((name) => values[name]);

const KEY = "publickeyv1_w7YHemBctH5Ck2nQRQ47iBBqhNHy4FV7t2Usbye2A6f";

Deno.test("the service has defaults, also for empty variables", () => {
  const defaults = {
    url: "http://127.0.0.1:8080",
    apiKey: undefined,
    hostname: "127.0.0.1",
    port: 9080,
    identityKeys: [],
    dataFolder: undefined,
  };
  deepStrictEqual(read({}), defaults);
  const empty = Object.fromEntries(SERVICE_VARIABLES.map((name) => [name, ""]));
  deepStrictEqual(read(empty), defaults);
});

Deno.test("the service reads its variables", () => {
  deepStrictEqual(
    read({
      "EMU3_URL": "https://example.org/emu3/",
      "EMU3_API_KEY": "secret",
      HOST: "0.0.0.0",
      PORT: "1234",
      "RESTATE_IDENTITY_KEY": ` ${KEY} , ${KEY}`,
      "WORKFLOWS_DATA": "/data",
    }),
    {
      url: "https://example.org/emu3",
      apiKey: "secret",
      hostname: "0.0.0.0",
      port: 1234,
      identityKeys: [KEY, KEY],
      dataFolder: "/data",
    },
  );
});

Deno.test("an invalid variable is named, with what is expected", () => {
  for (const text of ["0", "65536", "-1", "80a", "1e3", " 80"]) {
    throws(
      () => read({ PORT: text }),
      /^WorkflowVariableError: PORT is invalid: expected a port from 1 to 65535$/,
    );
  }
  for (const text of ["x", "ftp://a", "http://u:p@a", "http://a?b", "a:80"]) {
    throws(
      () => read({ "EMU3_URL": text }),
      /EMU3_URL is invalid: expected a URL such as http:\/\/127\.0\.0\.1:8080/,
    );
  }
  for (const text of ["x", `${KEY},x`, KEY.slice(0, 20), `${KEY}0`]) {
    throws(
      () => read({ "RESTATE_IDENTITY_KEY": text }),
      /RESTATE_IDENTITY_KEY is invalid: expected the public keys/,
    );
  }
});
