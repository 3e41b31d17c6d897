/** The reads of a start: each file of a checkpoint's metadata, once. */

import {
  deepStrictEqual,
  notStrictEqual,
  ok,
  strictEqual,
} from "node:assert/strict";
import { Checkpoints } from "../../../functions/models/checkpoints.ts";
import type { ServiceOptions } from "../../../functions/models/service_options.ts";
import { goldenPath } from "../../support/golden.ts";
import { openTinyServer } from "../../support/tiny_server.ts";

/** Returns how often `work` opens each file below a checkpoint of tests. */
async function readsOf(
  work: () => Promise<void>,
): Promise<ReadonlyMap<string, number>> {
  const root = goldenPath("checkpoints/");
  const reads = new Map<string, number>();
  const count = (path: string | URL) => {
    if (!`${path}`.startsWith(root)) return;
    const name = `${path}`.slice(root.length);
    reads.set(name, (reads.get(name) ?? 0) + 1);
  };
  const { readFile, open } = Deno;
  Deno.readFile = (path, options) => {
    count(path);
    return readFile(path, options);
  };
  Deno.open = (path, options) => {
    count(path);
    return open(path, options);
  };
  try {
    await work();
  } finally {
    Object.assign(Deno, { readFile, open });
  }
  return reads;
}

const folder = (name: string) => goldenPath(`checkpoints/${name}`);
const original = folder("emu3-tiny");
const transformers = folder("emu3-tiny-hf");

/** Sources, and the number of files that their start reads. */
const STARTS: readonly (readonly [ServiceOptions["folders"], number])[] = [
  [{ gen: original, chat: original, vision: undefined }, 12],
  [{ gen: transformers, chat: transformers, vision: undefined }, 8],
  [{ gen: original, chat: transformers, vision: undefined }, 20],
  [
    {
      gen: original,
      chat: transformers,
      vision: folder("emu3-tiny-visiontokenizer"),
    },
    18,
  ],
];

for (const [folders, files] of STARTS) {
  const names = Object.values(folders)
    .map((path) => path?.split("/").at(-1) ?? "none");
  Deno.test(`Services.start() reads each file of ${names.join(", ")} once`, async () => {
    const reads = await readsOf(async () => {
      await using _server = await openTinyServer({ folders });
    });
    const repeated = [...reads].filter(([, count]) => count !== 1);
    deepStrictEqual(repeated, []);
    strictEqual(reads.size, files);
  });
}

Deno.test("Checkpoints opens a folder once, and again after clear()", async () => {
  const checkpoints = new Checkpoints();
  const first = await checkpoints.language(transformers);
  strictEqual(await checkpoints.language(transformers), first);
  strictEqual(
    await checkpoints.vision(transformers),
    await checkpoints.vision(transformers),
  );
  strictEqual(await checkpoints.visionFolderOf(transformers), transformers);
  checkpoints.clear();
  const second = await checkpoints.language(transformers);
  notStrictEqual(second, first);
  ok(second.vocabularyMap.size > 0);
  deepStrictEqual(second.config, first.config);
});
