import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  EnvironmentError,
  helpText,
  readEnvironment,
  thisMachine,
} from "../../functions/env.ts";
import { VARIABLE_GROUPS, VARIABLES } from "../../functions/variables.ts";

const machine = { cpus: 3, memoryBytes: 4000 };

function read(variables: Record<string, string>) {
  return readEnvironment(machine, (name) => variables[name]);
}

Deno.test("readEnvironment() serves every function locally by default", () => {
  const environment = read({});
  deepStrictEqual(environment.listen, { hostname: "127.0.0.1", port: 8080 });
  strictEqual(environment.functions.size, 4);
  strictEqual(environment.threads, machine.cpus);
  strictEqual(environment.cacheBytes, undefined);
  strictEqual(environment.device, "auto");
  strictEqual(environment.deviceMemoryBytes, undefined);
  strictEqual(environment.runtimeFolder, undefined);
  ok(environment.folders.gen.endsWith("/models/emu3-mini"));
  strictEqual(environment.folders.chat, environment.folders.gen);
  strictEqual(environment.folders.vision, undefined);
  strictEqual(environment.requestTimeoutMs, undefined);
  strictEqual(environment.strategy, undefined);
  strictEqual(read({ STRATEGY: "jacobi" }).strategy, "jacobi");
});

Deno.test("readEnvironment() maps types of keys and values to the runtime's", () => {
  strictEqual(read({}).cacheDtype, undefined);
  strictEqual(read({ KV_PRECISION: "fp32" }).cacheDtype, "float32");
  strictEqual(read({ KV_PRECISION: "fp16" }).cacheDtype, "float16");
  strictEqual(read({ KV_PRECISION: "bf16" }).cacheDtype, "bfloat16");
  strictEqual(read({ KV_PRECISION: "int8" }).cacheDtype, "int8");
});

Deno.test("readEnvironment() has room for seven guided pictures and two answers", () => {
  strictEqual(read({}).slots, 16);
  strictEqual(read({ SLOTS: "2" }).slots, 2);
});

Deno.test("readEnvironment() opens nothing to other machines by default", () => {
  const { apiKeys, rateLimit, urlInputs, publicUrl, trustedProxies } = read({});
  const { trustedHeader, allowedHosts } = read({});
  deepStrictEqual([trustedHeader, allowedHosts], ["x-forwarded-for", []]);
  deepStrictEqual(
    { apiKeys, rateLimit, urlInputs, publicUrl, trustedProxies },
    {
      apiKeys: [],
      rateLimit: undefined,
      urlInputs: false,
      publicUrl: undefined,
      trustedProxies: 0,
    },
  );
  strictEqual(read({ ALLOW_URL_INPUTS: "0" }).urlInputs, false);
  strictEqual(read({ ALLOW_URL_INPUTS: "1" }).urlInputs, true);
  strictEqual(read({ TRUST_PROXY: "2" }).trustedProxies, 2);
  const header = read({ TRUST_PROXY_HEADER: "Fly-Client-IP" }).trustedHeader;
  strictEqual(header, "fly-client-ip");
  deepStrictEqual(read({ ALLOWED_HOSTS: "a, .b" }).allowedHosts, ["a", ".b"]);
});

Deno.test("readEnvironment() accepts a public URL that paths can be appended to", () => {
  const publicUrl = (text: string) => read({ PUBLIC_URL: text }).publicUrl;
  strictEqual(publicUrl("https://example.org"), "https://example.org");
  strictEqual(publicUrl("https://example.org/a/"), "https://example.org/a");
  for (
    const bad of ["ftp://a", "https://u:p@a", "https://a?b", "https://a#b"]
  ) {
    throws(() => publicUrl(bad), EnvironmentError);
  }
});

Deno.test("readEnvironment() has workflows with a URL only", () => {
  strictEqual(read({ WORKFLOWS_TOKEN: "secret" }).workflows, undefined);
  const url = "http://restate:8080";
  deepStrictEqual(read({ WORKFLOWS_URL: `${url}/` }).workflows, {
    url,
    token: undefined,
  });
  const given = read({ WORKFLOWS_URL: url, WORKFLOWS_TOKEN: "secret" });
  deepStrictEqual(given.workflows, { url, token: "secret" });
  const bad = [
    { WORKFLOWS_URL: "restate:8080" },
    { WORKFLOWS_URL: "http://user:secret@restate" },
    { WORKFLOWS_TOKEN: "two words" },
  ];
  for (const variables of bad) {
    throws(() => read({ ...variables }), EnvironmentError);
  }
});

Deno.test("thisMachine() reports no more than Deno does", () => {
  const { cpus, memoryBytes } = thisMachine();
  ok(Number.isInteger(cpus) && cpus >= 1);
  ok(cpus <= navigator.hardwareConcurrency);
  ok(memoryBytes > 0 && memoryBytes <= Deno.systemMemoryInfo().total);
});

Deno.test("readEnvironment() treats an empty variable as unset", () => {
  deepStrictEqual(read({ PORT: "", FUNCTIONS: " " }), read({}));
});

Deno.test("readEnvironment() sets both language models by MODEL", () => {
  const { folders } = read({ MODEL: "/m/both", CHAT_MODEL: "/m/chat" });
  strictEqual(folders.gen, "/m/both");
  strictEqual(folders.chat, "/m/chat");
});

Deno.test("readEnvironment() prefers PORT to AIP_HTTP_PORT", () => {
  strictEqual(read({ AIP_HTTP_PORT: "81" }).listen.port, 81);
  strictEqual(read({ AIP_HTTP_PORT: "81", PORT: "82" }).listen.port, 82);
});

Deno.test("readEnvironment() converts times to milliseconds", () => {
  const { requestTimeoutMs, shutdownGraceMs } = read({
    REQUEST_TIMEOUT_S: "1.5",
    SHUTDOWN_GRACE_S: "0",
  });
  strictEqual(requestTimeoutMs, 1500);
  strictEqual(shutdownGraceMs, 0);
});

Deno.test("readEnvironment() names an invalid variable", () => {
  const bad: Record<string, string> = {
    GEN_MODEL: "ftp://BAAI/Emu3-Gen",
    HF_ENDPOINT: "huggingface.co",
    VERIFY: "some",
    FUNCTIONS: "generate,draw",
    DEVICE: "tpu",
    PRECISION: "int2",
    PORT: "65536",
    PORT_HEALTH: "x",
    THREADS: "0",
    SLOTS: "1",
    QUEUE_LIMIT: "-1",
    KV_BYTES: "2GB",
    KV_PRECISION: "constructor",
    GPU_MEMORY_BYTES: "80GB",
    CUDA_ATTENTION: "xqa",
    STRATEGY: "fast",
    API_KEYS: "sha256:short",
    RATE_LIMIT: "often",
    ALLOW_URL_INPUTS: "yes",
    PUBLIC_URL: "example.org",
    TRUST_PROXY: "all",
    TRUST_PROXY_HEADER: "x-forwarded-host",
    ALLOWED_HOSTS: "https://a",
    CORS_ORIGINS: "example.org",
    MAX_BODY_BYTES: "1.5",
    MAX_PIXELS: "many",
    REQUEST_TIMEOUT_S: "soon",
    SHUTDOWN_GRACE_S: "-8",
    LOG: "xml",
  };
  for (const [name, value] of Object.entries(bad)) {
    throws(
      () => read({ [name]: value }),
      (error) =>
        error instanceof EnvironmentError && error.variable === name &&
        error.message.startsWith(`Cannot use ${name}: `),
      name,
    );
  }
});

Deno.test("readEnvironment() accepts a device, its memory and its library", () => {
  const environment = read({
    DEVICE: "cuda",
    GPU_MEMORY_BYTES: "80000000000",
    ONNXRUNTIME_DIR: "/opt/onnxruntime",
    PRECISION: "bf16",
    CUDA_ATTENTION: "cudnn",
  });
  strictEqual(environment.device, "cuda");
  strictEqual(environment.deviceMemoryBytes, 80e9);
  strictEqual(environment.runtimeFolder, "/opt/onnxruntime");
  strictEqual(environment.precision, "bf16");
  strictEqual(environment.cudaAttention, "cudnn");
  strictEqual(read({}).cudaAttention, "flash");
});

Deno.test("helpText() lists every variable with its default", () => {
  const help = helpText();
  for (const [name, { meaning, fallback }] of Object.entries(VARIABLES)) {
    ok(help.includes(`${name} `), name);
    ok(help.includes(meaning) && help.includes(`default: ${fallback}`), name);
  }
});

Deno.test("VARIABLE_GROUPS hold every variable once", () => {
  const grouped = Object.values(VARIABLE_GROUPS).flatMap(Object.keys);
  deepStrictEqual(grouped.toSorted(), Object.keys(VARIABLES).toSorted());
});
