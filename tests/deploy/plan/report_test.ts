import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { parseConfig } from "../../../deploy/plan/config.ts";
import { simulate } from "../../../deploy/plan/fleet.ts";
import { isMet, leastReplicas } from "../../../deploy/plan/minimum_servers.ts";
import { makePlan, planFields, planText } from "../../../deploy/plan/report.ts";
import { summarize } from "../../../deploy/plan/summary.ts";
import { planJson } from "../../support/plans.ts";

/** Returns a configuration with more load than one server can serve. */
function crowded() {
  const json = planJson();
  json.requests.per_second = 20;
  json.requests.seconds = 20;
  json.replicas = { min: 8, max: 8 };
  json.target = { p95_queue_s: 0.2 };
  json.price = { currency: "shells", per_gpu_second: 2, gpus: 1 };
  return json;
}

Deno.test("leastReplicas() meets the target, and one server less does not", async () => {
  const config = parseConfig(crowded());
  const { replicas, summary } = (await leastReplicas(config, config.target!))!;
  ok(replicas > 1 && replicas < 8);
  ok(isMet(summary, config.target!));
  const { engine, arrivals, retries } = config;
  const fewer = { ...config.scaling, min: replicas - 1, max: replicas - 1 };
  const run = await simulate(arrivals, {
    engine,
    scaling: fewer,
    retries,
    promises: true,
  });
  ok(!isMet(summarize(run, undefined), config.target!));
});

Deno.test("leastReplicas() returns undefined when no number suffices", async () => {
  const json = crowded();
  json.target = { p95_latency_s: 0.01 };
  const config = parseConfig(json);
  strictEqual(await leastReplicas(config, config.target!), undefined);
  match(
    planText(await makePlan(config)),
    /not met\. No number of servers up to 8 meets it/,
  );
});

Deno.test("planText() lists load, waits, costs and the sufficient number of servers", async () => {
  const json = crowded();
  json.cold_start_s = { instance: 20, load: 10 };
  const text = planText(await makePlan(parseConfig(json)));
  match(text, /^Servers: 8; at most 8 at once, 0 cold starts$/m);
  match(text, /^Cold start: 30\.00 s \(instance 20\.00 s, load 10\.00 s\)$/m);
  match(text, /^all +(\d+)\/\1 +\d+ +\d/m);
  match(text, /shells in total, .* shells per request/);
  match(text, /^Analysis: .* at least \d+ are needed/m);
  match(
    text,
    /^Target: 95 % of requests within 0\.20 s \(queue\): met\. Fewest/m,
  );
});

Deno.test("planFields() returns the plan as JSON, in seconds", async () => {
  const plan = await makePlan(parseConfig(crowded()));
  const fields = JSON.parse(JSON.stringify(planFields(plan)));
  const { all } = fields.simulation;
  strictEqual(all.latency_s.p95, plan.summary.all.latencyMs.p95 / 1000);
  strictEqual(fields.target.met, true);
  strictEqual(fields.target.least.replicas, plan.least!.replicas);
  deepStrictEqual(Object.keys(fields.simulation.classes).sort(), [
    "answer",
    "picture",
  ]);
  strictEqual(fields.simulation.cost.currency, "shells");
  const plain = planFields(await makePlan(parseConfig(planJson())));
  ok(!("target" in plain));
});

async function run(...args: string[]) {
  const main =
    new URL("../../../deploy/plan/main.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--allow-read", main, ...args],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("deno task plan prints help, a plan, or an error of one line", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  const wrong = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(planJson()));
    await Deno.writeTextFile(wrong, '{"engine": 3}');
    const [help, text, json, bad, none, misused, extra, option] = await Promise
      .all([
        run("--help"),
        run(file),
        run(file, "--json"),
        run(wrong),
        run("/nowhere.json"),
        run(),
        run(file, file),
        run(file, "--yaml"),
      ]);
    match(help.out, /^Usage: deno task plan.*example\.json.*target/s);
    match(text.out, /^Servers: 1/);
    ok(JSON.parse(json.out).simulation.all.done > 0);
    deepStrictEqual([bad.code, none.code, misused.code], [1, 1, 2]);
    match(bad.err, /^Cannot plan: \/classes: is missing\n$/);
    match(none.err, /^Cannot plan: "\/nowhere\.json" cannot be read/);
    match(
      misused.err,
      /^Cannot run plan: the configuration file is missing\n\nUsage/,
    );
    match(extra.err, /one file at a time/);
    match(option.err, /--yaml/);
  } finally {
    await Deno.remove(file);
    await Deno.remove(wrong);
  }
});
