import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { join } from "node:path";
import { locate, SourceError } from "../../../deploy/cache/locate.ts";
import { obtain, type ObtainOptions } from "../../../deploy/cache/obtain.ts";
import { holdsNothing } from "../../../deploy/cache/snapshots/empty_repository.ts";
import {
  type Fault,
  type FaultSchedule,
  inOrder,
} from "../../support/fault_schedule.ts";
import {
  type HubModel,
  hubServer,
  REPOSITORY,
  sha256Of,
} from "../../support/hub_server.ts";
import { fastRetries, obtainOptions } from "../../support/obtain_options.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { hubModel, wantedOf } from "../../support/tiny_hub_model.ts";
import type { ObtainProgress } from "../../../deploy/cache/progress.ts";

const model = hubModel(1);

function isWhole(folder: string, { files }: HubModel = model): void {
  for (const [path, content] of wantedOf({ commit: "", files })) {
    const there = Deno.readFileSync(join(folder, path));
    strictEqual(sha256Of(there), sha256Of(content), path);
  }
}

/** Runs obtain() against a hub with `faults`; returns its outcome. */
async function obtained(
  faults: FaultSchedule,
  { versions = [model], ...options }:
    & Partial<ObtainOptions>
    & { versions?: readonly [HubModel, ...HubModel[]] } = {},
): Promise<{ requests: number; progress: ObtainProgress[] }> {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions, faults });
  const progress: ObtainProgress[] = [];
  const folder = await obtain(REPOSITORY, {
    ...obtainOptions(cache.path, hub.endpoint),
    onProgress: (one) => progress.push(one),
    ...options,
  });
  isWhole(folder, versions.find(({ commit }) => folder.endsWith(commit)));
  return { requests: hub.seen.length, progress };
}

Deno.test("obtain() downloads the files that a checkpoint needs, once", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const options = obtainOptions(cache.path, hub.endpoint);
  const folder = await obtain(REPOSITORY, options);
  strictEqual(
    folder,
    join(cache.path, "models--org--tiny", "snapshots", model.commit),
  );
  isWhole(folder);
  deepStrictEqual(
    (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort(),
    [...new Set([...wantedOf(model).keys()].map((path) => path.split("/")[0]))]
      .sort(),
  );
  const requests = hub.seen.length;
  strictEqual(await obtain(REPOSITORY, options), folder);
  strictEqual(await obtain(`hf://${REPOSITORY}@main`, options), folder);
  strictEqual(
    await locate(`${REPOSITORY}@${model.commit}`, options.places),
    folder,
  );
  strictEqual(hub.seen.length, requests, "a warm start asks nobody");
});

Deno.test("obtain() reports progress, up to the last byte", async () => {
  const { progress } = await obtained(inOrder());
  const total = [...wantedOf(model).values()]
    .reduce((sum, { length }) => sum + length, 0);
  strictEqual(progress[0]!.phase, "resolve");
  const last = progress.at(-1)!;
  deepStrictEqual([last.phase, last.bytes, last.totalBytes], [
    "download",
    total,
    total,
  ]);
  match(last.place, /^org\/tiny@main at http/);
});

Deno.test("obtain() sends the token to the hub, and not to its redirect targets", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model], token: "hf_secret" });
  isWhole(
    await obtain(
      REPOSITORY,
      obtainOptions(cache.path, hub.endpoint, { HF_TOKEN: "hf_secret" }),
    ),
  );
  const shown = (cdn: boolean) =>
    new Set(
      hub.seen.filter((one) => one.cdn === cdn)
        .map(({ authorization }) => authorization),
    );
  deepStrictEqual(shown(false), new Set(["Bearer hf_secret"]));
  deepStrictEqual(shown(true), new Set([null]));
});

Deno.test("obtain() reads the token from the file of hf auth login", async () => {
  using cache = temporaryFolder();
  const path = cache.write("token", "hf_secret\n");
  await using hub = hubServer({ versions: [model], token: "hf_secret" });
  isWhole(
    await obtain(
      REPOSITORY,
      obtainOptions(cache.path, hub.endpoint, { HF_TOKEN_PATH: path }),
    ),
  );
});

const FAULTS: readonly (readonly [string, Fault])[] = [
  ["a server that fails", { type: "status", status: 500 }],
  ["a server that has enough", {
    type: "status",
    status: 429,
    retryAfter: "0",
  }],
  ["a connection that stalls", { type: "stall", after: 0.5 }],
  ["an answer that is cut", { type: "cut", after: 0.5 }],
  ["an empty answer", { type: "cut", after: 0 }],
  ["a server that ignores ranges", { type: "whole" }],
  ["a byte that is another", { type: "corrupt", at: 0.5 }],
];

for (const [what, fault] of FAULTS) {
  Deno.test(`obtain() recovers from ${what} at any request`, async () => {
    const { requests } = await obtained(inOrder());
    // The first requests differ most.
    for (let i = 0; i < requests; i += 1 + (i >> 1)) {
      await obtained((request) => request === i ? fault : undefined);
    }
  });
}

Deno.test("obtain() reads whole files from a server without ranges", async () => {
  await obtained(() => ({ type: "whole" }));
});

Deno.test("obtain() lists again when the content changes, and downloads all of the new content", async () => {
  const versions = [model, hubModel(7)] as const;
  for (const i of [1, 2, 5, 9, 14]) {
    await obtained(
      (request) => request === i ? { type: "moved" } : undefined,
      { versions },
    );
  }
});

/** A policy for connections of which none continues, however slow it is. */
const ALWAYS_STALLED = { stallMs: 150 };

const ERRORS: readonly (readonly [
  string,
  Partial<Parameters<typeof hubServer>[0]>,
  Record<string, string>,
  RegExp,
  Partial<typeof fastRetries.retryPolicy>?,
])[] = [
  ["a private repository", { token: "t" }, {}, /401.*set HF_TOKEN/],
  [
    "a wrong token",
    { token: "t" },
    { HF_TOKEN: "hf_wrong" },
    /HF_TOKEN has no access \(401\)/,
  ],
  ["a gated one without", { gated: true }, {}, /set HF_TOKEN/],
  [
    "a gated one with a token",
    { gated: true },
    { HF_TOKEN: "hf_x" },
    /request access/,
  ],
  [
    "servers that always fail",
    { faults: () => ({ type: "status", status: 503 }) },
    {},
    /the hub responds with 503/,
  ],
  [
    "lines that always stall",
    { faults: () => ({ type: "stall", after: 0.1 }) },
    {},
    /no data arrived for/,
    ALWAYS_STALLED,
  ],
  [
    "a wait of hours",
    {
      faults: () => ({ type: "status", status: 429, retryAfter: "7200" }),
    },
    {},
    /429/,
  ],
  [
    "content that is never right",
    { faults: (n) => n === 0 ? undefined : { type: "corrupt", at: 0.5 } },
    {},
    /does not match its published hash/,
  ],
  [
    "a hub that may not be asked",
    {},
    { HF_HUB_OFFLINE: "1" },
    /HF_HUB_OFFLINE is set/,
  ],
];

/** Returns folders of models, which other tools expect to hold one. */
async function repositoriesIn(cache: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(cache));
  return entries.map(({ name }) => name)
    .filter((name) => name.startsWith("models--"));
}

for (const [what, behavior, variables, message, changes] of ERRORS) {
  Deno.test(`obtain() reports ${what}`, async () => {
    using cache = temporaryFolder();
    await using hub = hubServer({ versions: [model], ...behavior });
    const options = {
      ...obtainOptions(cache.path, hub.endpoint, variables),
      transferOptions: {
        ...fastRetries,
        retryPolicy: { ...fastRetries.retryPolicy, ...changes },
      },
    };
    await rejects(obtain(REPOSITORY, options), (error) => {
      ok(error instanceof SourceError);
      match(error.message, /^Cannot find model "org\/tiny": looked in /);
      match(error.message, message);
      ok(!/hf_wrong|hf_x|signature/.test(error.message));
      return true;
    });
    await rejects(locate(REPOSITORY, options.places), SourceError);
    // The bytes that arrived are kept for the next attempt.
    for (const name of await repositoriesIn(cache.path)) {
      strictEqual(await holdsNothing(join(cache.path, name)), false);
    }
  });
}

Deno.test("obtain() tries the next source when one lacks the model, and reports the reply of each", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const options = obtainOptions(cache.path, hub.endpoint);
  isWhole(await obtain("org/other, hf://org/tiny", options));
  await rejects(
    obtain("org/fourth,org/third@v1", options),
    /looked in .*models--org--fourth.*models--org--third; Cannot read org\/fourth@main.*404\); Cannot read org\/third@v1/,
  );
});

Deno.test("obtain() reports a source that does not respond", async () => {
  using cache = temporaryFolder();
  const hub = hubServer({ versions: [model] });
  const { endpoint } = hub;
  await hub[Symbol.asyncDispose]();
  await rejects(
    obtain(REPOSITORY, obtainOptions(cache.path, endpoint)),
    /Cannot reach 127\.0\.0\.1:\d+ for org\/tiny@main/,
  );
  deepStrictEqual(await repositoriesIn(cache.path), []);
});

Deno.test("obtain() leaves no empty folder after a listing that is not a checkpoint", async () => {
  using cache = temporaryFolder();
  const files = new Map(
    [...model.files].filter(([path]) => path !== "config.json"),
  );
  await using hub = hubServer({ versions: [{ ...model, files }] });
  await rejects(
    obtain(REPOSITORY, obtainOptions(cache.path, hub.endpoint)),
    /has no config\.json/,
  );
  deepStrictEqual(await repositoriesIn(cache.path), []);
});

Deno.test("obtain() resumes a canceled download, part by part", async () => {
  using cache = temporaryFolder();
  const stop = new AbortController();
  await using hub = hubServer({
    versions: [model],
    faults: (request) => {
      if (request === 14) stop.abort(new Error("enough"));
      return undefined;
    },
  });
  const options = obtainOptions(cache.path, hub.endpoint);
  const oneByOne = { ...fastRetries, connections: 1 };
  await rejects(
    obtain(REPOSITORY, {
      ...options,
      transferOptions: oneByOne,
      signal: stop.signal,
    }),
    /enough/,
  );
  await rejects(locate(REPOSITORY, options.places), SourceError);
  const ranges = () =>
    hub.seen.filter(({ cdn }) => cdn).map(({ path, range }) => path + range);
  const before = ranges();
  isWhole(await obtain(REPOSITORY, options));
  const twice = ranges().filter((range, i, all) => all.indexOf(range) !== i);
  ok(before.length > 2, `${before.length} parts came`);
  // The part that was in progress.
  ok(twice.length <= 1, `${twice.length} came again`);
});

Deno.test("obtain() downloads once for two concurrent callers; the second waits, and reports it", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const phases = new Set<string>();
  const options = {
    ...obtainOptions(cache.path, hub.endpoint),
    // Stalls on a busy machine would cause repeated requests.
    transferOptions: {
      ...fastRetries,
      retryPolicy: { ...fastRetries.retryPolicy, stallMs: 60_000 },
    },
    onProgress: ({ phase }: ObtainProgress) => void phases.add(phase),
  };
  const [a, b] = await Promise.all([
    obtain(REPOSITORY, options),
    obtain(REPOSITORY, options),
  ]);
  strictEqual(a, b);
  ok(phases.has("wait"));
  const ranges = hub.seen.filter(({ cdn }) => cdn).map((one) =>
    `${one.path} ${one.range}`
  );
  strictEqual(new Set(ranges).size, ranges.length);
});
