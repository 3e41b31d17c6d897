/**
 * The requests of several adapters on one engine: each result is bit-identical
 * to that of the request alone.
 */

import {
  deepStrictEqual,
  notDeepStrictEqual,
  rejects,
} from "node:assert/strict";
import fc from "fast-check";
import { type StrategyName, strategyOf } from "../../lib/drawing/strategy.ts";
import { answer, draw } from "../../lib/emu3.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import { scoreAnswer, scorePicture } from "../../lib/scoring.ts";
import { PUBLISHED_NEGATIVE_PROMPT } from "../../models/config/generation_config.ts";
import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";
import { changedFolder } from "../support/changed_folder.ts";
import { readSafetensors } from "../support/safetensors.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../support/temporary_folder.ts";
import { openTinyLanguage, tinyFolder } from "../support/tiny.ts";
import { halved, safetensorsBytes } from "../support/write_safetensors.ts";

const NEVER = new AbortController().signal;

/** Number of mixed workloads; `task test:adapters` runs 200. */
const RUNS = Number(Deno.env.get("ADAPTER_RUNS") ?? 40);

/** Adapters of several ranks and matrices, one with a head. */
const ADAPTERS = {
  all: { seed: 11, rank: 4 },
  attention: {
    seed: 12,
    rank: 2,
    targets: ["self_attn.q_proj", "self_attn.v_proj"],
  },
  headed: { seed: 13, rank: 3, targets: ["mlp.down_proj"], head: true },
} as const;

/** A request of one of the functions. */
interface TestRequest {
  readonly kind: "draw" | "answer" | "score picture" | "score answer";
  readonly adapter: string | undefined;
  readonly prompt: string;
  readonly seed: number;
  readonly strategy: StrategyName;
  readonly guidanceScale: number;
}

const anyRequest: fc.Arbitrary<TestRequest> = fc.record({
  kind: fc.constantFrom(
    "draw",
    "answer",
    "score picture",
    "score answer",
  ),
  adapter: fc.constantFrom(undefined, ...Object.keys(ADAPTERS)),
  // Few, so that prefixes repeat.
  prompt: fc.constantFrom("a fox", "two apples on a table"),
  seed: fc.nat(1),
  strategy: fc.constantFrom("autoregressive", "jacobi"),
  guidanceScale: fc.constantFrom(1, 3),
});

const GRID: CodeGrid = {
  height: 3,
  width: 4,
  codes: Uint16Array.from({ length: 12 }, (_, i) => (i * 37) % 200),
};

/** Returns the codes, text or log-probabilities of a request. */
async function resultOf(
  model: LanguageModel,
  request: TestRequest,
): Promise<unknown> {
  const { kind, adapter, prompt, seed, guidanceScale } = request;
  const question = {
    grids: [GRID],
    question: prompt,
    template: "chat" as const,
  };
  const sampling = { temperature: 1, topK: 0, topP: 1 };
  const picture = {
    prompt,
    negativePrompt: PUBLISHED_NEGATIVE_PROMPT,
    guidanceScale,
  };
  switch (kind) {
    case "draw": {
      const params = {
        ...picture,
        size: GRID,
        prefix: undefined,
        strategy: strategyOf(request.strategy),
        sampling,
        seed,
        count: 1,
        logprobs: 2,
        adapter,
      };
      const events = await Array.fromAsync(draw(model, params, NEVER));
      return events.flatMap((event): unknown[] =>
        event.type === "grid"
          ? [event.grid]
          : event.type === "row"
          ? [event.row]
          : []
      );
    }
    case "answer": {
      const asked = {
        ...question,
        maxTokens: 9,
        stop: [],
        sampling,
        seed,
        adapter,
      };
      const events = await Array.fromAsync(answer(model, asked, NEVER));
      const last = events.at(-1)!;
      return last.type === "finished" ? last.text : undefined;
    }
    case "score picture": {
      const scored = { ...picture, grid: GRID };
      const turn = { adapter };
      return (await scorePicture(model, scored, NEVER, turn)).logprobs;
    }
    case "score answer": {
      const scored = { ...question, text: "a red fox" };
      const turn = { adapter };
      return (await scoreAnswer(model, scored, NEVER, turn)).logprobs;
    }
  }
}

/** The formats of the base, each with its share of the workloads. */
const FORMATS = ["fp32", "bf16", "int8", "int4"] as const;

/** Returns a folder of the tiny checkpoint in a format. */
async function folderIn(
  format: typeof FORMATS[number],
): Promise<TemporaryFolder> {
  const tiny = tinyFolder("emu3-tiny-hf");
  if (format === "fp32") return changedFolder(tiny, {});
  if (format === "bf16") {
    const tensors = [...readSafetensors(`${tiny}/model.safetensors`)]
      .map(([name, tensor]) => [name, halved(tensor, "BF16")] as const);
    return changedFolder(tiny, {
      "model.safetensors": safetensorsBytes(new Map(tensors)),
    });
  }
  const folder = temporaryFolder();
  const how = { precision: format, threads: 1, program: "test" } as const;
  const target = `${folder.path}/model`;
  await Array.fromAsync(quantizeCheckpoint(tiny, target, how));
  return { ...folder, path: target };
}

for (const format of FORMATS) {
  const runs = Math.ceil(RUNS / FORMATS.length);
  Deno.test(`Engine in ${format} gives each request of ${runs} mixed workloads, with and without adapters, its result alone`, async () => {
    using folder = await folderIn(format);
    await mixedWorkloads(folder.path, runs);
  });
}

/** Compares the requests of mixed workloads with the same requests alone. */
async function mixedWorkloads(folder: string, numRuns: number): Promise<void> {
  await using plain = await openTinyLanguage("", { folder });
  await using alone = await openTinyLanguage("", {
    folder,
    adapters: ADAPTERS,
  });
  await using mixed = await openTinyLanguage("", {
    folder,
    slots: 5,
    adapters: ADAPTERS,
  });
  const known = new Map<string, unknown>();
  const expected = async (request: TestRequest) => {
    const key = JSON.stringify(request);
    const { model } = request.adapter === undefined ? plain : alone;
    if (!known.has(key)) known.set(key, await resultOf(model, request));
    return known.get(key);
  };
  const workloads = fc.array(anyRequest, { minLength: 2, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(workloads, async (requests) => {
      const results = await Promise.all(
        requests.map((request) => resultOf(mixed.model, request)),
      );
      for (const [i, request] of requests.entries()) {
        deepStrictEqual(results[i], await expected(request), request.kind);
      }
    }),
    { numRuns, endOnFailure: true },
  );
}

Deno.test("Engine never continues a prefix that another adapter computed", async () => {
  await using tiny = await openTinyLanguage("emu3-tiny", {
    adapters: ADAPTERS,
  });
  const request: TestRequest = {
    kind: "score answer",
    adapter: undefined,
    prompt: "a fox",
    seed: 0,
    strategy: "autoregressive",
    guidanceScale: 1,
  };
  const results: unknown[] = [];
  for (const adapter of [undefined, ...Object.keys(ADAPTERS)]) {
    const first = await resultOf(tiny.model, { ...request, adapter });
    const again = await resultOf(tiny.model, { ...request, adapter });
    deepStrictEqual(again, first);
    for (const other of results) notDeepStrictEqual(first, other);
    results.push(first);
  }
});

Deno.test("Engine fails a request of an adapter that is not loaded, and continues", async () => {
  await using tiny = await openTinyLanguage("emu3-tiny", {
    adapters: { all: ADAPTERS.all },
  });
  const request: TestRequest = {
    kind: "answer",
    adapter: "other",
    prompt: "a fox",
    seed: 0,
    strategy: "autoregressive",
    guidanceScale: 1,
  };
  await rejects(resultOf(tiny.model, request), /adapter "other"/);
  await resultOf(tiny.model, { ...request, adapter: "all" });
});
