/**
 * The tests of refused downloads, and of their messages.
 *
 * @module
 */

import { match, ok, rejects } from "node:assert/strict";
import { locate, SourceError } from "../../../deploy/cache/locate.ts";
import { DiskError } from "../../../deploy/cache/base/disk.ts";
import { obtain } from "../../../deploy/cache/obtain.ts";
import { fakeRemote, opening } from "../../support/fake_remote.ts";
import { REPOSITORY } from "../../support/hub_server.ts";
import { obtainOptions } from "../../support/obtain_options.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { hubModel, wantedOf } from "../../support/tiny_hub_model.ts";

const wanted = wantedOf(hubModel(3));
const SHARD = "model-00001-of-00002.safetensors";

Deno.test("obtain() refuses content larger than the disk, before a byte arrives", async () => {
  using cache = temporaryFolder();
  const remote = fakeRemote(wanted);
  const huge = {
    ...remote,
    list: async (signal: AbortSignal) => {
      const { commit, files } = await remote.list(signal);
      return {
        commit,
        files: files.map((file) => ({ ...file, size: 2 ** 50 })),
      };
    },
    read: () => {
      throw new Error("nobody should ask");
    },
  };
  await rejects(
    obtain("org/huge, org/other", {
      ...obtainOptions(cache.path, "unused:"),
      openRemote: opening({ "org/huge": huge }),
    }),
    (error) => {
      ok(error instanceof DiskError);
      match(
        error.message,
        /^Cannot download 78\d\d\.\d TB into .*: .* are free; free space or set MODEL_CACHE/,
      );
      return true;
    },
  );
});

Deno.test("obtain() reports a place without a checkpoint, and leaves no visible files", async () => {
  using cache = temporaryFolder();
  const without = (path: string) =>
    fakeRemote(new Map([...wanted].filter(([name]) => name !== path)));
  for (
    const [path, message] of [
      ["config.json", /a fake: it has no config\.json/],
      [SHARD, /a fake: it lacks model-00001/],
    ] as const
  ) {
    const options = {
      ...obtainOptions(cache.path, "unused:"),
      openRemote: opening({ "org/part": without(path) }),
    };
    await rejects(obtain("org/part", options), message);
    await rejects(locate("org/part", options.places), SourceError);
  }
});

Deno.test("obtain() reports an invalid URL of a store, without secrets", async () => {
  using cache = temporaryFolder();
  const options = obtainOptions(cache.path, "unused:");
  await rejects(
    obtain("s3://models/Emu3?sig=secret", options),
    (error) => {
      ok(error instanceof SourceError);
      match(error.message, /Cannot read s3:\/\/models\/Emu3: expected s3:/);
      ok(!error.message.includes("secret"));
      return true;
    },
  );
});

Deno.test("obtain() downloads nothing without a cache", async () => {
  await rejects(
    obtain(REPOSITORY, {
      places: { modelFolders: ["/no/models"], hubCaches: [] },
      onProgress: () => {},
      signal: new AbortController().signal,
    }),
    /looked in .*\/no\/models\/tiny; name a folder/,
  );
  await rejects(
    obtain("hf://org", obtainOptions("/no/cache", "unused:")),
    /Cannot find model "hf:\/\/org": expected hf:\/\/org\/name/,
  );
});
