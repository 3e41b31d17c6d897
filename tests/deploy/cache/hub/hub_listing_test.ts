import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  isWanted,
  parseListing,
} from "../../../../deploy/cache/hub/hub_listing.ts";
import { RemoteError } from "../../../../deploy/cache/net/remote.ts";
import { isSafePath } from "../../../../deploy/cache/manifest/safe_path.ts";

const sha1 = "a".repeat(40);
const sha256 = "b".repeat(64);

const listing = (...siblings: unknown[]) =>
  JSON.stringify({ sha: sha1, siblings });

Deno.test("parseListing() returns files with their hashes, small ones first", () => {
  const lfs = { sha256, size: 9_000, pointerSize: 134 };
  const text = listing(
    { rfilename: "model.safetensors", size: 9_000, blobId: sha1, lfs },
    { rfilename: "config.json", size: 2, blobId: sha1 },
    { rfilename: "README.md", size: 2, blobId: sha1 },
  );
  deepStrictEqual(parseListing(text, "x"), {
    commit: sha1,
    files: [
      {
        path: "config.json",
        size: 2,
        sha256: undefined,
        gitHash: sha1,
        etag: sha1,
      },
      { path: "model.safetensors", size: 9_000, sha256, etag: sha256 },
    ],
  });
});

Deno.test("parseListing() rejects paths out of the folder, and incomplete entries", () => {
  const size = 1;
  const blobId = sha1;
  const bad = [
    listing({ rfilename: "../x.json", size, blobId }),
    listing({ rfilename: "/etc/x.json", size, blobId }),
    listing({ rfilename: "a\\..\\x.json", size, blobId }),
    listing({ rfilename: "x.json", size: -1, blobId }),
    listing({ rfilename: "x.json", blobId }),
    listing({ rfilename: "x.json", size, blobId: "../../x" }),
    listing({ rfilename: "x.safetensors", size, blobId, lfs: { size } }),
    listing({ size }),
    listing(null),
    "[]",
    "null",
    JSON.stringify({ sha: "../x", siblings: [] }),
    JSON.stringify({ sha: "..", siblings: [] }),
    JSON.stringify({ sha: sha1 }),
  ];
  for (const text of bad) {
    throws(() => parseListing(text, "x"), (error) => {
      ok(error instanceof RemoteError, text);
      strictEqual(error.remedy.type, "elsewhere", text);
      return true;
    }, text);
  }
});

Deno.test("parseListing() requests a retry of a truncated response", () => {
  throws(
    () => parseListing(listing().slice(0, 9), "x"),
    (error) => error instanceof RemoteError && error.remedy.type === "retry",
  );
});

Deno.test("isWanted() accepts the files that a checkpoint needs, never those that run code", () => {
  const wanted = [
    "config.json",
    "model.safetensors.index.json",
    "model-00001-of-00002.safetensors",
    "emu3.tiktoken",
    "emu3_vision_tokens.txt",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
    "vision/config.json",
  ];
  const unwanted = [
    "README.md",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "model.pt",
    "flax_model.msgpack",
    "picture.png",
    "modeling_emu3.py",
    "onnx/model.json",
    "checkpoint-500/model.safetensors",
    "requirements.txt",
    "training_args.json",
    ".gitattributes",
  ];
  deepStrictEqual(wanted.filter((path) => !isWanted(path)), []);
  deepStrictEqual(unwanted.filter(isWanted), []);
});

Deno.test("isSafePath() keeps to its folder, on any system", () => {
  for (const path of ["a", "a/b.json", "a/.b", "a..b/c"]) ok(isSafePath(path));
  for (
    const path of ["", "/a", "a/", "a//b", ".", "a/../b", "..", "a\\b", "c:a"]
  ) ok(!isSafePath(path), path);
});
