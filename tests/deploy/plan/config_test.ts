import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { parseConfig, parseConfigText } from "../../../deploy/plan/config.ts";
import { PlanError } from "../../../deploy/plan/schema.ts";
import { planJson } from "../../support/plans.ts";

const EXAMPLE = new URL("../../../deploy/plan/example.json", import.meta.url);

Deno.test("parseConfig() turns classes into requests of the engine", () => {
  const json = planJson();
  json.classes.quick = {
    height: 3,
    width: 5,
    guided: false,
    prompt_tokens: 7,
    tokens_per_run: 2,
    after_s: 0.5,
  };
  json.engine.wide_ms = { "2": 20 };
  json.classes.long = { prompt_tokens: 9, new_tokens: 4, max_tokens: 100 };
  json.requests = {
    trace: ["long", "picture", "quick"].map((name, i) => ({
      at_s: 3 - i,
      class: name,
    })),
  };
  const { arrivals } = parseConfig(json);
  deepStrictEqual(arrivals.map(({ atMs }) => atMs), [1000, 2000, 3000]);
  const [quick, picture, long] = arrivals.map(({ kind }) => kind);
  deepStrictEqual(picture!.prompts, [20, 20]);
  // 16 codes, the last of which is not fed, and three ends of rows.
  deepStrictEqual([picture!.runs, picture!.newTokens], [15, 18]);
  deepStrictEqual([quick!.prompts, quick!.runs, quick!.newTokens], [
    [7],
    7,
    16,
  ]);
  strictEqual(quick!.afterMs, 500);
  deepStrictEqual([long!.runs, long!.maxNewTokens], [3, 99]);
});

Deno.test("parseConfig() sums the phases of a cold start", () => {
  const json = planJson();
  json.cold_start_s = { instance: 20, load: 10.5 };
  strictEqual(parseConfig(json).scaling.coldStartMs, 30_500);
});

Deno.test("parseConfig() accepts the example", () => {
  const { arrivals, scaling, price } = parseConfigText(
    Deno.readTextFileSync(EXAMPLE),
  );
  strictEqual(arrivals.length > 100, true);
  strictEqual(scaling.max, 6);
  strictEqual(price!.currency, "examples");
});

/** Invalid configurations: name, location and message of the fault. */
const WRONG: readonly (readonly [
  string,
  // deno-lint-ignore no-explicit-any
  (json: any) => unknown,
  string,
  RegExp,
])[] = [
  ["no engine", (j) => delete j.engine, "/engine", /is missing/],
  ["an engine in words", (j) => j.engine = "big", "/engine", /an object/],
  ["a list", (j) => j.classes = [], "/classes", /an object/],
  ["one slot", (j) => j.engine.slots = 1, "/engine/slots", /2 or more/],
  ["half a slot", (j) => j.engine.slots = 2.5, "/engine/slots", /whole/],
  ["text", (j) => j.engine.slots = "4", "/engine/slots", /a whole number/],
  [
    "a table that ends early",
    (j) => j.engine.step_ms = { "2": 10 },
    "/engine/step_ms",
    /a time for 4, the largest is for 2/,
  ],
  [
    "a table by words",
    (j) => j.engine.step_ms.many = 3,
    "/engine/step_ms/many",
    /whole numbers/,
  ],
  [
    "a step in no time",
    (j) => j.engine.step_ms["4"] = 0,
    "/engine/step_ms/4",
    /more than 0/,
  ],
  ["an unknown field", (j) => j.engines = {}, "/engines", /unknown.*engine/],
  [
    "a slip of the pen",
    (j) => j.replicas.maximum = 3,
    "/replicas/maximum",
    /unknown, expected min, max/,
  ],
  ["nothing to ask", (j) => j.classes = {}, "/classes", /one or more/],
  [
    "a picture that is not said to be guided or not",
    (j) => delete j.classes.picture.guided,
    "/classes/picture/guided",
    /is missing/,
  ],
  [
    "guided in words",
    (j) => j.classes.picture.guided = "yes",
    "/classes/picture/guided",
    /true or false/,
  ],
  [
    "fewer tokens than are said",
    (j) => j.classes.answer.max_tokens = 3,
    "/classes/answer/max_tokens",
    /10 or more/,
  ],
  [
    "guesses without a time",
    (j) => j.classes.picture.tokens_per_run = 2,
    "/engine/wide_ms",
    /is missing: a class has tokens_per_run/,
  ],
  [
    "a picture that never fits",
    (j) => j.engine.cache_tokens = 60,
    "/engine/cache_tokens",
    /76 or more: "picture"/,
  ],
  [
    "an unknown class",
    (j) => j.requests.shares = { sketch: 1 },
    "/requests/shares/sketch",
    /picture, answer/,
  ],
  [
    "no shares",
    (j) => j.requests.shares = {},
    "/requests/shares",
    /one or more/,
  ],
  [
    "too many",
    (j) => j.requests.seconds = 1e9,
    "/requests/seconds",
    /at most 1000000/,
  ],
  [
    "nobody",
    (j) => j.requests.seconds = 1e-9,
    "/requests",
    /no request arrives/,
  ],
  [
    "an empty trace",
    (j) => j.requests = { trace: [] },
    "/requests/trace",
    /one/,
  ],
  [
    "an unknown class in a trace",
    (j) => j.requests = { trace: [{ at_s: 0, class: "sketch" }] },
    "/requests/trace/0/class",
    /picture, answer/,
  ],
  [
    "a trace without times",
    (j) => j.requests = { trace: [{ class: "answer" }] },
    "/requests/trace/0/at_s",
    /is missing/,
  ],
  [
    "fewer servers at most than at least",
    (j) => j.replicas = { min: 3, max: 2 },
    "/replicas/max",
    /3 or more: min is 3/,
  ],
  ["no server", (j) => j.replicas = { min: 0, max: 0 }, "/replicas/max", /1/],
  [
    "more or less, and no word when",
    (j) => j.replicas.max = 2,
    "/replicas/target_requests",
    /is missing/,
  ],
  [
    "a price without a currency",
    (j) => j.price = { per_gpu_second: 1 },
    "/price/currency",
    /is missing/,
  ],
  [
    "a currency without a name",
    (j) => j.price = { currency: "", per_gpu_second: 1 },
    "/price/currency",
    /text/,
  ],
  ["an empty target", (j) => j.target = {}, "/target/p95_latency_s", /missing/],
  [
    "a cold start in no time at all",
    (j) => j.cold_start_s = { load: -1 },
    "/cold_start_s/load",
    /0 or more/,
  ],
  ["retries in words", (j) => j.retries = "yes", "/retries", /true or false/],
];

for (const [name, spoil, pointer, message] of WRONG) {
  Deno.test(`parseConfig() rejects ${name}, and names the field`, () => {
    const json = planJson();
    spoil(json);
    throws(() => parseConfig(json), (error: unknown) => {
      if (!(error instanceof PlanError)) throw error;
      strictEqual(error.pointer, pointer);
      return error.message.startsWith(`Cannot plan: ${pointer}: `) &&
        message.test(error.message);
    });
  });
}

Deno.test("parseConfigText() reports that JSON is expected", () => {
  throws(
    () => parseConfigText("{"),
    /^PlanError: Cannot plan: the file: expected JSON/,
  );
  throws(
    () => parseConfigText("3"),
    /Cannot plan: the file: expected an object/,
  );
});
