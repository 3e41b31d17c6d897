import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { RuntimeError } from "../../../../lib/errors.ts";
import { nativeMemory } from "../../../../lib/runtime/memory/native_memory.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

const ignore = nativeMemory === undefined;

Deno.test({
  name:
    "mapFile() shows the bytes of a file, and refuses one that is not there",
  ignore,
  fn: async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/file`;
    await Deno.writeFile(path, Uint8Array.of(7, 8, 9));
    using mapped = nativeMemory!.mapFile(path);
    await mapped.readAhead(1, 2);
    const bytes = new Uint8Array(3);
    new Deno.UnsafePointerView(mapped.pointer).copyInto(bytes);
    deepStrictEqual(bytes, Uint8Array.of(7, 8, 9));
    mapped.releasePages();
    new Deno.UnsafePointerView(mapped.pointer).copyInto(bytes.fill(0));
    deepStrictEqual(bytes, Uint8Array.of(7, 8, 9), "they are read again");
    throws(() => nativeMemory!.mapFile(`${folder.path}/none`), RuntimeError);
  },
});

Deno.test({
  name: "allocate() gives zeros, which may be more than the machine has",
  ignore,
  fn: () => {
    const terabyte = 2 ** 40;
    using block = nativeMemory!.allocate(terabyte);
    strictEqual(block.buffer.byteLength, terabyte);
    const last = new Uint8Array(block.buffer, terabyte - 4, 4);
    deepStrictEqual(last, new Uint8Array(4));
    last.fill(5);
    strictEqual(last[3], 5);
  },
});

Deno.test({
  name: "releasePages() releases complete pages and leaves adjacent memory",
  ignore: ignore || Deno.build.os !== "linux",
  fn: () => {
    const page = 4096;
    using block = nativeMemory!.allocate(4 * page);
    const bytes = new Uint8Array(block.buffer).fill(1);
    block.releasePages(page / 2, 2 * page);
    ok(bytes.subarray(0, page).every((byte) => byte === 1));
    ok(bytes.subarray(page, 2 * page).every((byte) => byte === 0));
    ok(bytes.subarray(2 * page).every((byte) => byte === 1));
    block.releasePages(10, 100);
    strictEqual(bytes[50], 1);
  },
});
