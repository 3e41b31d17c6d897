import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import type { FunctionName } from "../../../functions/schema/common.ts";
import {
  NotReadyError,
  UnknownModelError,
} from "../../../functions/http/errors/errors.ts";
import { Services } from "../../../functions/models/services.ts";
import { CheckpointError } from "../../../lib/errors.ts";
import { EMBEDDED_MODEL } from "../../../functions/variables.ts";
import { goldenPath } from "../../support/golden.ts";
import { TINY_FOLDERS, tinyOptions } from "../../support/tiny_server.ts";

const TINY = TINY_FOLDERS.gen;
const TRANSFORMERS = goldenPath("checkpoints/emu3-tiny-hf");
const VISION = goldenPath("checkpoints/emu3-tiny-visiontokenizer");

function start(functions: FunctionName[], folders = {}): Promise<Services> {
  return Services.start(tinyOptions({
    functions: new Set(functions),
    folders: { ...TINY_FOLDERS, ...folders },
  }));
}

/** Returns capabilities and states by name. */
function listed(services: Services): Record<string, [string[], string]> {
  return Object.fromEntries(
    services.models().map(({ name, capabilities, state }) => [
      name,
      [[...capabilities], state.state],
    ]),
  );
}

Deno.test("Services load in the background and report their progress", async () => {
  await using services = await start(["generate"]);
  throws(
    () => services.imageGenerator(undefined),
    (error) =>
      error instanceof NotReadyError && error.retryAfterSeconds !== undefined,
  );
  strictEqual(listed(services)["emu3-tiny"]![1], "loading");
  await services.loaded;
  strictEqual(services.imageGenerator(undefined).language.name, "emu3-tiny");
  deepStrictEqual(listed(services), {
    "emu3-tiny": [["generate", "score"], "ready"],
    "emu3-tiny-visiontokenizer": [[], "ready"],
  });
  const [language] = services.models();
  const phases = language!.state.phases.map(({ name }) => name);
  // Two threads start at the same time.
  deepStrictEqual(phases.slice(1, 3).sort(), ["codec", "library"]);
  deepStrictEqual(phases.toSpliced(1, 2), [
    "resolve",
    "configuration",
    "tokenizer",
    "graphs",
    "weights",
    "warm up",
  ]);
  for (const { seconds } of language!.state.phases) ok(seconds! >= 0);
  ok(services.startSeconds! > 0);
  strictEqual(language!.details!.imageArea, 4096);
});

Deno.test("Services for tokenize alone load no language model", async () => {
  await using services = await start(["tokenize"]);
  await services.loaded;
  deepStrictEqual(listed(services), {
    "emu3-tiny": [[], "unloaded"],
    "emu3-tiny-visiontokenizer": [["tokenize"], "ready"],
  });
  const { text } = await services.text(undefined);
  deepStrictEqual([...await text.encode("a")], [64]);
  // Only its text files are open now.
  strictEqual(services.models()[0]!.details, undefined);
});

Deno.test("Services open a folder that is named twice once", async () => {
  await using services = await start(["generate", "caption"], {
    chat: `${TINY}/../emu3-tiny/`,
  });
  await services.loaded;
  strictEqual(
    services.imageGenerator(undefined).language,
    services.captioner(undefined).language,
  );
});

Deno.test("Services load both models from a folder of transformers' layout", async () => {
  await using services = await start(["generate", "detokenize"], {
    gen: TRANSFORMERS,
    chat: TRANSFORMERS,
  });
  await services.loaded;
  deepStrictEqual(listed(services), {
    "emu3-tiny-hf": [["generate", "score", "detokenize"], "ready"],
  });
});

Deno.test("Services keep each language model with its own vision tokenizer", async () => {
  await using services = await start(["generate", "caption", "tokenize"], {
    chat: TRANSFORMERS,
  });
  await services.loaded;
  const generator = services.imageGenerator(undefined);
  const captioner = services.captioner(undefined);
  strictEqual(generator.vision.checkpoint.name, "emu3-tiny-visiontokenizer");
  strictEqual(captioner.vision.checkpoint.name, "emu3-tiny-hf");
  strictEqual(services.vision(undefined), generator.vision);
  strictEqual(services.vision("emu3-tiny-hf"), captioner.vision);
});

Deno.test("Services find a vision tokenizer by either name, and language models by their own", async () => {
  await using services = await start(["generate", "caption", "tokenize"]);
  await services.loaded;
  const tokenizer = "emu3-tiny-visiontokenizer";
  for (const name of ["emu3-tiny", tokenizer]) ok(services.vision(name));
  ok(services.imageGenerator("emu3-tiny"));
  ok(services.captioner("emu3-tiny"));
  for (const name of [tokenizer, "nobody"]) {
    const refused = (error: unknown) =>
      error instanceof UnknownModelError &&
      error.message.endsWith('models of this function are "emu3-tiny"');
    throws(() => services.imageGenerator(name), refused);
    throws(() => services.captioner(name), refused);
  }
  await rejects(services.text("nobody"), UnknownModelError);
});

Deno.test("Services find models by their aliases, and list these", async () => {
  await using services = await Services.start(tinyOptions({
    aliases: new Map([["gpt-image-1", "emu3-tiny"], ["b", "emu3-tiny"]]),
  }));
  await services.loaded;
  strictEqual(
    services.imageGenerator("gpt-image-1").language.name,
    "emu3-tiny",
  );
  strictEqual(services.captioner("b").language.name, "emu3-tiny");
  strictEqual(services.vision("b"), services.vision("emu3-tiny"));
  strictEqual((await services.text("b")).name, "emu3-tiny");
  const [language, vision] = services.models();
  deepStrictEqual(language!.aliases, ["gpt-image-1", "b"]);
  deepStrictEqual(vision!.aliases, []);
  throws(
    () => services.imageGenerator("dall-e-3"),
    /are "emu3-tiny", "gpt-image-1", "b"$/,
  );
});

Deno.test("Services refuse an alias without a model", async () => {
  await using services = await Services.start(tinyOptions({
    aliases: new Map([["gpt-image-1", "emu3"]]),
  }));
  await rejects(
    services.loaded,
    /^RangeError: Cannot use MODEL_ALIASES: "gpt-image-1" refers to "emu3", but models are "emu3-tiny", "emu3-tiny-visiontokenizer"$/,
  );
});

Deno.test("Services refuse a model for a function that another serves", async () => {
  await using services = await start(["generate", "caption"], {
    chat: TRANSFORMERS,
  });
  await services.loaded;
  throws(
    () => services.imageGenerator("emu3-tiny-hf"),
    (error) =>
      error instanceof UnknownModelError && /"emu3-tiny"/.test(error.message),
  );
});

Deno.test("Services refuse a codebook of another size", async () => {
  await using services = await start(["generate"], {
    gen: EMBEDDED_MODEL,
    chat: EMBEDDED_MODEL,
    vision: VISION,
  });
  await rejects(
    services.loaded,
    (error) =>
      error instanceof CheckpointError && /512.*2048/.test(error.message),
  );
  const [language] = services.models();
  ok(language!.state.state === "failed");
  match(language!.state.reason, /VISION_MODEL/);
});

Deno.test("Services refuse a missing folder", async () => {
  await using services = await start(["generate"], { gen: "/nowhere/emu3" });
  await rejects(services.loaded, CheckpointError);
  const [model] = services.models();
  strictEqual(model!.name, "emu3");
  strictEqual(model!.state.state, "failed");
  throws(
    () => services.imageGenerator(undefined),
    (error) =>
      error instanceof NotReadyError && error.retryAfterSeconds === undefined,
  );
});
