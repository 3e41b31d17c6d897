import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { hashFile } from "../../../../deploy/cache/hashing/hash_file.ts";
import { hashFiles } from "../../../../deploy/cache/hashing/hash_files.ts";
import { NEVER } from "../../../support/publish_tree.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test("hashFile() hashes the whole and every part", async () => {
  using folder = temporaryFolder();
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 1, max: 120 }),
      async (bytes, partSize) => {
        const path = folder.write("f", bytes);
        const parts = Array.from(
          { length: Math.ceil(bytes.length / partSize) },
          (_, i) => sha256(bytes.subarray(i * partSize, (i + 1) * partSize)),
        );
        let heard = 0;
        const job = { path, kind: "sha256", partSize } as const;
        deepStrictEqual(await hashFile(job, (more) => heard += more), {
          size: bytes.length,
          hex: sha256(bytes),
          parts,
        });
        strictEqual(heard, bytes.length);
      },
    ),
  );
});

Deno.test("hashFile() computes Git's hash of a file", async () => {
  using folder = temporaryFolder();
  const path = folder.write("f", "hello\n");
  const { hex } = await hashFile({ path, kind: "git" });
  strictEqual(hex, "ce013625030ba8dba906f756967f9e9ca394464a");
});

Deno.test("hashFile() hashes a range, cut off at the end of the file", async () => {
  using folder = temporaryFolder();
  const bytes = Uint8Array.from({ length: 50 }, (_, i) => i);
  const path = folder.write("f", bytes);
  for (const range of [{ start: 3, end: 9 }, { start: 40, end: 99 }]) {
    const part = bytes.subarray(range.start, range.end);
    deepStrictEqual(await hashFile({ path, kind: "sha256", range }), {
      size: part.length,
      hex: sha256(part),
      parts: [],
    });
  }
});

Deno.test("hashFiles() returns the hashes and errors of hashFile() from threads", async () => {
  using folder = temporaryFolder();
  const large = new Uint8Array(2 ** 24 + 5).fill(9);
  const jobs = ["large", "small", "none"].map((name) => ({
    path: `${folder.path}/${name}`,
    kind: "git" as const,
    partSize: 2 ** 22,
  }));
  folder.write("large", large);
  folder.write("small", "small");
  let heard = 0;
  const [first, second, third] = await hashFiles(jobs, {
    threads: 2,
    onBytes: (more) => heard += more,
    signal: NEVER,
  });
  deepStrictEqual(first, {
    type: "hashes",
    hashes: await hashFile(jobs[0]!),
  });
  strictEqual(second!.type, "hashes");
  strictEqual(heard, large.length + 5);
  match(third!.type === "failure" ? third!.reason : "", /No such file/);
});

Deno.test("hashFiles() stops on abort", async () => {
  using folder = temporaryFolder();
  const path = folder.write("large", new Uint8Array(2 ** 25));
  const stop = new AbortController();
  await rejects(
    hashFiles([{ path, kind: "sha256" }], {
      threads: 1,
      onBytes: () => stop.abort(new Error("enough")),
      signal: stop.signal,
    }),
    /enough/,
  );
});
