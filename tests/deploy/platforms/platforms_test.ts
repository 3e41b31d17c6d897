/**
 * The laws of rendering, on every platform and for any options.
 *
 * @module
 */

import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { parse as parseToml } from "smol-toml";
import { parseAllDocuments } from "yaml";
import {
  type DeployOptions,
  OptionsError,
  SECRETS,
} from "../../../deploy/platforms/options.ts";
import { environmentOf, PORT } from "../../../deploy/platforms/platform.ts";
import { PLATFORMS, render } from "../../../deploy/platforms/platforms.ts";
import { isAllowedHost } from "../../../functions/middleware/allowed_hosts.ts";
import { forwarded } from "../../../functions/http/address/client_address.ts";
import { readEnvironment } from "../../../functions/env.ts";
import { parseHost } from "../../../functions/http/address/request_host.ts";
import { VARIABLES } from "../../../functions/variables.ts";
import { Drain } from "../../../functions/middleware/drain.ts";
import { health } from "../../../functions/health.ts";

const PLAIN: DeployOptions = {
  image: "registry.example.org/team/emu3:1",
  name: "emu3",
  settings: {},
  secrets: {},
  gpu: true,
  cpus: 8,
  memoryGib: 32,
  cacheGib: 20,
  minServers: 1,
  maxServers: 1,
  concurrency: 16,
  requestTimeoutS: 300,
  storage: undefined,
};

/** Variables of platforms, which are not the server's. */
const FOREIGN = ["PROTOCOL", "STORAGE_URI", "XDG_CACHE_HOME"];

const RUNS = { numRuns: 25 };

const anyOptions: fc.Arbitrary<DeployOptions> = fc.record({
  image: fc.constantFrom("emu3", "r.example.org:5000/a/emu3:1.2"),
  name: fc.constantFrom("emu3", "a", "emu3-gen-2"),
  settings: fc.record({
    MODEL: fc.constantFrom("BAAI/Emu3-Gen-hf", "/models/it's $HOME"),
    SLOTS: fc.integer({ min: 2, max: 64 }).map(String),
    FUNCTIONS: fc.constantFrom("generate", "tokenize,detokenize"),
  }, { requiredKeys: [] }),
  secrets: fc.record({
    API_KEYS: fc.constantFrom("keys", "emu3keys"),
    WEBHOOK_SECRET: fc.constantFrom("keys", "hooks"),
  }, { requiredKeys: [] }),
  gpu: fc.boolean(),
  cpus: fc.integer({ min: 4, max: 16 }),
  memoryGib: fc.integer({ min: 16, max: 64 }),
  cacheGib: fc.integer({ min: 1, max: 100 }),
  minServers: fc.integer({ min: 1, max: 2 }),
  maxServers: fc.integer({ min: 2, max: 5 }),
  concurrency: fc.integer({ min: 1, max: 100 }),
  requestTimeoutS: fc.integer({ min: 1, max: 330 }),
  storage: fc.constant(undefined),
});

/** Reduces options to those that a platform supports. */
function fitting(
  platform: typeof PLATFORMS[number],
  options: DeployOptions,
): DeployOptions {
  const gpu = platform.facts.gpu &&
    (options.gpu || platform.name.startsWith("runpod"));
  return { ...options, gpu };
}

for (const platform of PLATFORMS) {
  Deno.test(`${platform.name}: equal options render equal files`, () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const fit = fitting(platform, options);
        deepStrictEqual(
          render(platform, fit, VARIABLES),
          render(platform, fit, VARIABLES),
        );
      }),
      RUNS,
    );
  });

  Deno.test(`${platform.name}: files set only variables of the server, with the given values`, () => {
    fc.assert(fc.property(anyOptions, (options) => {
      const fit = fitting(platform, options);
      const { files, steps } = render(platform, fit, VARIABLES);
      const { values, names } = variablesOf(files);
      for (const name of names) {
        ok(
          name in VARIABLES || FOREIGN.includes(name),
          `${name} is no variable`,
        );
      }
      deepStrictEqual(
        { ...values, ...fit.settings },
        values,
        "a setting got lost",
      );
      for (const secret of SECRETS) {
        // Fly's files hold no secrets; its commands set them.
        const known = platform.name === "fly"
          ? steps.some((step) => step.includes(` ${secret}=`))
          : names.includes(secret);
        strictEqual(known, secret in fit.secrets);
      }
      // The server starts with them.
      readEnvironment(
        { cpus: 1, memoryBytes: 2 ** 30 },
        (name) => values[name],
      );
    }));
  });

  Deno.test(`${platform.name}: the grace ends before the platform kills the server`, () => {
    const { files } = render(platform, fitting(platform, PLAIN), VARIABLES);
    const { values } = variablesOf(files);
    const { graceS, beforeStopS } = platform.facts;
    const grace = Number(values["SHUTDOWN_GRACE_S"]);
    ok(grace > 0 && grace + beforeStopS < graceS);
  });

  Deno.test(`${platform.name}: health checks use the server's port and paths`, async () => {
    const { files } = render(platform, fitting(platform, PLAIN), VARIABLES);
    const limits = { maxBodyBytes: 1, maxPixels: 1 };
    const app = health({ models: () => [], limits }, new Drain());
    const asked = find(files, "httpGet").concat(find(files, "checks").flat());
    for (const { path, port } of asked as { path: string; port?: number }[]) {
      strictEqual((await app.request(path)).status, 200, path);
      strictEqual(port ?? PORT, PORT);
    }
    for (const port of find(files, "containerPort")) strictEqual(port, PORT);
    for (const port of find(files, "internal_port")) strictEqual(port, PORT);
    ok(platform.facts.startS === undefined || asked.length > 0);
  });

  Deno.test(`${platform.name}: steps name only rendered files`, () => {
    const { files, steps } = render(
      platform,
      fitting(platform, PLAIN),
      VARIABLES,
    );
    const named = steps.flatMap((step) =>
      step.match(/[\w-]+\.(yaml|json|sh)\b/g) ?? []
    );
    for (const name of named) ok(name in files, name);
  });

  Deno.test(`${platform.name}: a timeout above the platform's limit is refused`, () => {
    const most = platform.facts.maxRequestS;
    const fit = fitting(platform, PLAIN);
    const longest = { ...fit, requestTimeoutS: most ?? 86_400 };
    ok(Object.keys(render(platform, longest, VARIABLES).files).length > 0);
    if (most === undefined || most === 86_400) return;
    throws(
      () => render(platform, { ...fit, requestTimeoutS: most + 1 }, VARIABLES),
      OptionsError,
    );
  });
}

Deno.test("Kubernetes sets a grace that includes the preStop wait; other platforms use their default", () => {
  const graces = PLATFORMS.map((platform) => {
    const { files } = render(platform, fitting(platform, PLAIN), VARIABLES);
    const told = find(files, "terminationGracePeriodSeconds")[0] ??
      find(files, "stop_grace_period")[0] ?? find(files, "kill_timeout")[0] ??
      Object.values(files).join("").match(/--stop-timeout (\d+)/)?.[1];
    return [
      platform.name,
      told === undefined ? undefined : parseFloat(String(told)),
      platform.facts.graceS,
    ];
  });
  for (const [name, told, promised] of graces) {
    if (told !== undefined) strictEqual(told, promised, String(name));
  }
  strictEqual(graces.filter(([, told]) => told !== undefined).length, 5);
  strictEqual(
    environmentOf(PLAIN, {
      graceS: 90,
      beforeStopS: 5,
      startS: undefined,
      maxRequestS: undefined,
      gpu: true,
    })["SHUTDOWN_GRACE_S"],
    "83",
  );
});

Deno.test("Kubernetes scales by metrics of the server", async () => {
  const kubernetes = PLATFORMS.find(({ name }) => name === "kubernetes")!;
  const { files } = render(kubernetes, PLAIN, VARIABLES);
  const queries = find(files, "query").join(" ");
  const names = queries.match(/\bemu3_\w+/g) ?? [];
  const source = await Deno.readTextFile(
    new URL("../../../functions/metrics/engine_metrics.ts", import.meta.url),
  );
  ok(names.length >= 3);
  for (const name of names) ok(source.includes(`"${name}"`), name);
});

Deno.test("Kubernetes mounts a claim for one server; several servers share models, and not jobs", () => {
  const kubernetes = PLATFORMS.find(({ name }) => name === "kubernetes")!;
  const one = render(kubernetes, PLAIN, VARIABLES).files;
  deepStrictEqual(find(one, "accessModes"), [["ReadWriteOnce"]]);
  deepStrictEqual(find(one, "strategy"), [{ type: "Recreate" }]);
  const many = render(kubernetes, { ...PLAIN, maxServers: 3 }, VARIABLES).files;
  deepStrictEqual(find(many, "accessModes"), [["ReadWriteMany"]]);
  strictEqual(variablesOf(many).values["STORE"], "/tmp/jobs.sqlite");
});

const REFUSED: readonly [string, Partial<DeployOptions>, RegExp][] = [
  ["fly", {}, /fly has no GPUs; remove --gpu/],
  ["fly", { gpu: false, cpus: 0.5 }, /cpus is 0.5, expected a whole number/],
  ["fly", { gpu: false, storage: "x" }, /Fly does not fetch models/],
  ["cloud-run", { cpus: 2 }, /an L4 needs --cpus 4/],
  ["kubernetes", { minServers: 0 }, /minServers is 0, expected 1 or more/],
  ["kubernetes", { secrets: { API_KEYS: "a_b" } }, /"a_b" is not a valid name/],
  ["runpod", { gpu: false }, /add --gpu/],
  [
    "docker",
    { secrets: { API_KEYS: "a-b" } },
    /"a-b" is not a valid name of one/,
  ],
];

for (const [name, change, message] of REFUSED) {
  Deno.test(`${name}: ${JSON.stringify(change)} is refused`, () => {
    const platform = PLATFORMS.find((platform) => platform.name === name)!;
    throws(() => render(platform, { ...PLAIN, ...change }, VARIABLES), message);
  });
}

Deno.test("render() serves the model that the platform fetches", () => {
  for (const platform of PLATFORMS) {
    if (platform.name === "fly") continue;
    const { files } = render(
      platform,
      { ...PLAIN, storage: "emu3-gen" },
      VARIABLES,
    );
    match(Object.values(files).join(""), /emu3-gen/);
    const { MODEL } = variablesOf(files).values;
    strictEqual(
      MODEL,
      platform.name.startsWith("runpod") ? undefined : "/mnt/models",
    );
  }
});

/** Names by which each platform sends requests to a server named emu3. */
const REACHED_AS: Readonly<Record<string, readonly string[]>> = {
  docker: ["localhost:8080", "192.0.2.1:8080"],
  compose: ["localhost:8080", "192.0.2.1:8080", "emu3:8080"],
  kubernetes: ["10.0.0.7:8080", "emu3", "emu3.default.svc.cluster.local:80"],
  knative: ["emu3.default.example.com", "emu3.default.svc.cluster.local"],
  kserve: ["emu3-default.example.com", "emu3-predictor.default"],
  "cloud-run": ["emu3-abc123-ew.a.run.app", "emu3.example.org"],
  runpod: ["abc123.api.runpod.ai"],
  "runpod-queue": [],
  fly: ["emu3.fly.dev", "emu3.internal:8080", "emu3.flycast"],
};

Deno.test("render() without keys allows every host name of the platform", () => {
  for (const platform of PLATFORMS) {
    const { files } = render(platform, fitting(platform, PLAIN), VARIABLES);
    const { values } = variablesOf(files);
    const environment = readEnvironment(
      { cpus: 1, memoryBytes: 2 ** 30 },
      // The image sets the address to listen on.
      (name) => name === "HOST" ? "0.0.0.0" : values[name],
    );
    for (const host of REACHED_AS[platform.name]!) {
      const parsed = parseHost(host)!;
      ok(isAllowedHost(parsed, environment), `${platform.name}: ${host}`);
    }
    const routed = environment.allowedHosts.includes("*");
    const evil = parseHost("evil.example")!;
    strictEqual(isAllowedHost(evil, environment), routed, platform.name);
  }
});

Deno.test("render() trusts no client header that the platform overwrites", () => {
  const client = (name: string, headers: Record<string, string>) => {
    const platform = PLATFORMS.find((platform) => platform.name === name)!;
    const { files } = render(platform, fitting(platform, PLAIN), VARIABLES);
    const { values } = variablesOf(files);
    const environment = readEnvironment(
      { cpus: 1, memoryBytes: 2 ** 30 },
      (name) => values[name],
    );
    return forwarded(new Headers(headers), environment).client;
  };
  const lies = { forwarded: "for=6.6.6.6", "x-real-ip": "6.6.6.6" };
  const appended = { ...lies, "x-forwarded-for": "6.6.6.6, 192.0.2.1" };
  strictEqual(client("cloud-run", appended), "192.0.2.1");
  const fly = { ...lies, "fly-client-ip": "192.0.2.1" };
  strictEqual(
    client("fly", { ...fly, "x-forwarded-for": "6.6.6.6" }),
    "192.0.2.1",
  );
  strictEqual(client("kubernetes", appended), undefined);
});

/** Returns every value under `key`, in any file. */
function find(files: Readonly<Record<string, string>>, key: string): unknown[] {
  const found: unknown[] = [];
  const look = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      if (name === key) found.push(inner);
      look(inner);
    }
  };
  Object.entries(files).flatMap(([path, text]) => parsed(path, text))
    .forEach(look);
  return found;
}

/** Returns the content of a file, by a parser of its format. */
function parsed(path: string, text: string): unknown[] {
  if (path.endsWith(".json")) return [JSON.parse(text)];
  if (path.endsWith(".toml")) return [parseToml(text)];
  if (!path.endsWith(".yaml")) return [];
  return parseAllDocuments(text).map((document) => {
    deepStrictEqual(document.errors, []);
    return document.toJS();
  });
}

/**
 * Returns variables that files set: values, and the names of all, secrets as
 * well.
 */
function variablesOf(files: Readonly<Record<string, string>>) {
  const values: Record<string, string> = {};
  const names: string[] = [];
  const set = (name: string, value: unknown) => {
    names.push(name);
    if (typeof value !== "string") return;
    if (SECRETS.some((secret) => secret === name)) {
      match(value, /^(\$\{\w+:\?\}|\{\{ RUNPOD_SECRET_\w+ \}\})$/);
    } else values[name] = value;
  };
  const lists = find(files, "env").concat(find(files, "environment"));
  for (const list of lists) {
    if (Array.isArray(list)) {
      for (const { name, key, value } of list) set(name ?? key, value);
    } else {
      for (const [name, value] of Object.entries(list as object)) {
        // Compose reads two dollars as one.
        set(name, value.replaceAll("$$", "$"));
      }
    }
  }
  const script = files["run.sh"] ?? "";
  const words = /--env (?:'((?:[^']|'\\'')*)'|(\S+))/g;
  for (const [, quoted, plain] of script.matchAll(words)) {
    const word = quoted?.replaceAll("'\\''", "'") ?? plain!;
    const [name, ...rest] = word.split("=");
    set(name!, rest.length === 0 ? undefined : rest.join("="));
  }
  return { values, names };
}
