import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { takeLock } from "../../../../deploy/cache/snapshots/cache_lock.ts";
import {
  DiskError,
  diskError,
  freeBytes,
  onDisk,
} from "../../../../deploy/cache/base/disk.ts";
import { fetchPart } from "../../../../deploy/cache/transfer/fetch_part.ts";
import { fakeRemote, listed } from "../../../support/fake_remote.ts";
import { fastRetries } from "../../../support/obtain_options.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

const { signal } = new AbortController();

Deno.test({
  name: "fetchPart() reports a full disk with advice",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const content = new Uint8Array(1_000);
    const order = {
      file: listed("a", content),
      range: { start: 0, end: 1_000 },
      path: "/dev/full",
      hash: "sha256",
    } as const;
    await rejects(
      fetchPart(
        fakeRemote(new Map([["a", content]])),
        order,
        fastRetries.retryPolicy,
        { signal, onBytes: () => {} },
      ),
      (error) => {
        ok(error instanceof DiskError);
        match(
          error.message,
          /^Cannot write \/dev\/full: the disk is full; free some space or set MODEL_CACHE/,
        );
        return true;
      },
    );
  },
});

Deno.test("onDisk() explains quotas, read-only disks and forbidden folders", async () => {
  const fails = (message: string) =>
    onDisk("/x", () => Promise.reject(new Error(message)));
  await rejects(fails("Disk quota exceeded (os error 122)"), /quota is used/);
  await rejects(
    fails("Read-only file system (os error 30)"),
    /mounted read-only/,
  );
  await rejects(
    fails("Permission denied (os error 13)"),
    /permission is denied/,
  );
  await rejects(
    fails("File too large (os error 27)"),
    /too large for this file system/,
  );
  const other = new Error("something else");
  strictEqual(diskError("/x", other), other);
});

Deno.test("freeBytes() returns the free space, or undefined if it is unknown", async () => {
  using folder = temporaryFolder();
  ok((await freeBytes(folder.path))! > 0);
  strictEqual(await freeBytes("/no/such/folder"), undefined);
});

Deno.test("takeLock() grants a lock to one holder at a time", async () => {
  using folder = temporaryFolder();
  const path = folder.write("lock", "");
  const waits = Promise.withResolvers<void>();
  let taken = false;
  let second: Promise<Disposable>;
  {
    using _first = await takeLock(path, signal, () => {});
    second = takeLock(path, signal, () => waits.resolve());
    second.then(() => taken = true);
    await waits.promise;
    strictEqual(taken, false);
  }
  (await second)[Symbol.dispose]();
  strictEqual(taken, true);
});

Deno.test("takeLock() stops on abort during the wait", async () => {
  using folder = temporaryFolder();
  const path = folder.write("lock", "");
  using _held = await takeLock(path, signal, () => {});
  const stop = new AbortController();
  await rejects(
    takeLock(path, stop.signal, () => stop.abort(new Error("enough"))),
    /enough/,
  );
});
