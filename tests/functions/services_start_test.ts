/** The services during the download of their checkpoints. */

import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import type { FunctionName } from "../../functions/schema/common.ts";
import type { Obtain } from "../../functions/models/pending_download.ts";
import type { Phase } from "../../functions/models/load_phases.ts";
import { NotReadyError } from "../../functions/http/errors/errors.ts";
import { Services } from "../../functions/models/services.ts";
import { goldenPath } from "../support/golden.ts";
import { TINY_FOLDERS, tinyOptions } from "../support/tiny_server.ts";
import type { ServiceOptions } from "../../functions/models/service_options.ts";
import { until } from "../support/until.ts";

const TRANSFORMERS = goldenPath("checkpoints/emu3-tiny-hf");
const VISION = goldenPath("checkpoints/emu3-tiny-visiontokenizer");

/** The folders of downloads that a test completes. */
class Hand {
  readonly asked: string[] = [];
  readonly needing: string[] = [];
  readonly signals: AbortSignal[] = [];
  readonly tell = new Map<string, Parameters<Obtain>[1]>();
  readonly #answers = new Map<string, PromiseWithResolvers<string>>();

  readonly obtain: Obtain = (source, onProgress, signal, needsVision) => {
    this.asked.push(source);
    if (needsVision) this.needing.push(source);
    this.signals.push(signal);
    this.tell.set(source, onProgress);
    const { reject } = this.of(source);
    signal.addEventListener("abort", () => reject(signal.reason));
    return this.of(source).promise;
  };

  of(source: string): PromiseWithResolvers<string> {
    const answer = this.#answers.get(source) ??
      Promise.withResolvers<string>();
    this.#answers.set(source, answer);
    return answer;
  }
}

function start(
  hand: Hand,
  functions: FunctionName[],
  folders: ServiceOptions["folders"],
  more: Partial<ServiceOptions> = {},
): Promise<Services> {
  const { obtain } = hand;
  const wanted = new Set(functions);
  return Services.start(
    tinyOptions({ functions: wanted, folders, obtain, ...more }),
  );
}

Deno.test("Services list the names that their sources imply, and their progress", async () => {
  const hand = new Hand();
  const folders = {
    gen: "org/Gen@main",
    chat: "hf://org/Chat",
    vision: "org/V",
  };
  const heard: [string, Phase][] = [];
  await using services = await start(hand, ["generate", "caption"], folders, {
    onPhase: (model, phase) => void heard.push([model, phase]),
  });
  deepStrictEqual(hand.asked, ["org/Gen@main", "hf://org/Chat", "org/V"]);
  deepStrictEqual(hand.needing, []);
  deepStrictEqual(
    services.models().map(({ name, state }) => [name, state.state]),
    [["Gen", "loading"], ["Chat", "loading"], ["V", "loading"]],
  );
  hand.tell.get("org/Gen@main")!({
    phase: "download",
    bytes: 10,
    totalBytes: 100,
    place: "a hub",
  });
  const phases = services.models()[0]!.state.phases;
  deepStrictEqual(phases.map(({ name }) => name), ["resolve", "download"]);
  strictEqual(phases[1]!.transfer!.totalBytes, 100);
  throws(
    () => services.imageGenerator(undefined),
    (error) => error instanceof NotReadyError && error.retryAfterSeconds! >= 10,
  );
  hand.of("org/Gen@main").resolve(TINY_FOLDERS.gen);
  hand.of("hf://org/Chat").resolve(TRANSFORMERS);
  hand.of("org/V").resolve(VISION);
  await services.loaded;
  deepStrictEqual(services.models().map(({ name }) => name), [
    "emu3-tiny",
    "emu3-tiny-visiontokenizer",
    "emu3-tiny-hf",
  ]);
  ok(heard.some(([model, { name }]) => model === "" && name === "library"));
  ok(heard.some(([model, { name }]) => model === "Gen" && name === "download"));
});

Deno.test("Services download only the models that functions need, each once", async () => {
  const hand = new Hand();
  const folders = { gen: "org/A", chat: "hf://org/A", vision: undefined };
  await using both = await start(hand, ["generate", "caption"], folders);
  deepStrictEqual(hand.asked, ["org/A"]);
  const other = new Hand();
  await using one = await start(other, ["caption"], {
    gen: "org/A",
    chat: "org/B",
    vision: undefined,
  });
  deepStrictEqual(other.asked, ["org/B"]);
  deepStrictEqual(other.needing, ["org/B"]);
  ok(both.models().length === 1 && one.models().length === 1);
});

Deno.test("Services open a vision tokenizer while the language model is downloaded", async () => {
  const hand = new Hand();
  const folders = { gen: "org/A", chat: "org/A", vision: "org/V" };
  await using services = await start(hand, ["tokenize"], folders);
  throws(() => services.vision(undefined), NotReadyError);
  hand.of("org/V").resolve(VISION);
  await until(() => services.models()[1]!.state.state === "ready");
  strictEqual(services.vision(undefined).codebookSize, 512);
  strictEqual(services.models()[0]!.state.state, "loading");
  throws(() => services.vision("A"), NotReadyError);
});

Deno.test("Services cancel a download when a vision tokenizer fails", async () => {
  const hand = new Hand();
  const folders = { gen: "org/A", chat: "org/A", vision: "org/V" };
  await using services = await start(hand, ["generate"], folders);
  hand.of("org/V").resolve(TINY_FOLDERS.gen);
  await rejects(services.loaded, /emu3-tiny/);
  ok(hand.signals.every(({ aborted }) => aborted));
  const [language] = services.models();
  ok(language!.state.state === "failed");
  match(language!.state.reason, /emu3-tiny/);
});

Deno.test("Services report a failed download to their caller, and no places to clients", async () => {
  const hand = new Hand();
  const folders = { gen: "org/A", chat: "org/A", vision: undefined };
  await using services = await start(hand, ["generate"], folders);
  hand.of("org/A").reject(new Error("looked in /secret"));
  await rejects(services.loaded, /looked in \/secret/);
  const [language] = services.models();
  ok(language!.state.state === "failed");
  ok(!language!.state.reason.includes("secret"));
});

Deno.test("Services cancel downloads when disposed", async () => {
  const hand = new Hand();
  const folders = { gen: "org/A", chat: "org/A", vision: "org/V" };
  const services = await start(hand, ["generate"], folders);
  await services[Symbol.asyncDispose]();
  ok(hand.signals.every(({ aborted }) => aborted));
});

Deno.test("Services refuse models that do not fit together, before any is loaded", async () => {
  const hand = new Hand();
  const folders = {
    gen: goldenPath("checkpoints/emu3-tiny-bf16"),
    chat: TRANSFORMERS,
    vision: undefined,
  };
  hand.of(folders.gen).resolve(TINY_FOLDERS.gen);
  hand.of(folders.chat).resolve(TRANSFORMERS);
  await using services = await start(hand, ["generate", "caption"], folders, {
    precision: "int8",
    memoryBytes: 1000,
  });
  await rejects(
    services.loaded,
    /Cannot open .*emu3-tiny and .*together they need .*emu3-tiny 0\.0 GB, emu3-tiny-hf 0\.0 GB, KV cache.*are free; .*FUNCTIONS=generate.*PRECISION=int4/,
  );
  for (const { state } of services.models()) {
    deepStrictEqual(
      state.phases.filter(({ name }) => name === "weights"),
      [],
    );
  }
});
