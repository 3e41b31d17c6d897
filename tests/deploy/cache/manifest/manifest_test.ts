import {
  deepStrictEqual,
  match,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import {
  type Manifest,
  manifestText,
  parseManifest,
  revisionOf,
} from "../../../../deploy/cache/manifest/manifest.ts";
import { ManifestError } from "../../../../deploy/cache/manifest/manifest_fields.ts";

const HASH = "ab".repeat(32);

/** Returns a manifest of files with these paths, and with replaced fields. */
function written(
  paths: readonly string[],
  file: Record<string, unknown> = {},
  fields: Record<string, unknown> = {},
): string {
  const files = paths.map((path) => ({
    path,
    size: 250,
    sha256: HASH,
    part_size: 100,
    part_sha256: [HASH, HASH, HASH],
    ...file,
  }));
  return JSON.stringify({
    version: 1,
    model: "Emu3-Gen",
    revision: revisionOf(files),
    created_by: "a test",
    files,
    ...fields,
  });
}

const anyManifest: fc.Arbitrary<Manifest> = fc.uniqueArray(
  fc.record({
    name: fc.nat(99),
    size: fc.nat(1000),
    partSize: fc.integer({ min: 1, max: 300 }),
    seed: fc.stringMatching(/^[0-9a-f]{64}$/),
    url: fc.option(fc.webUrl(), { nil: undefined }),
  }),
  { selector: ({ name }) => name, minLength: 1 },
).map((entries) => {
  const files = entries.map(({ name, size, partSize, seed, url }) => ({
    path: `folder/f${String(name).padStart(2, "0")}`,
    size,
    sha256: seed,
    partSize,
    partSha256: Array.from({ length: Math.ceil(size / partSize) }, () => seed),
    url,
  })).sort((a, b) => a.path < b.path ? -1 : 1);
  return {
    model: "m",
    revision: revisionOf(files),
    createdBy: "a test",
    precision: "int4",
    source: undefined,
    files,
  };
});

Deno.test("parseManifest() inverts manifestText(), in any order of files", () => {
  fc.assert(fc.property(anyManifest, (manifest) => {
    const text = manifestText(manifest);
    deepStrictEqual(parseManifest(text), manifest);
    const turned = { ...manifest, files: [...manifest.files].reverse() };
    strictEqual(manifestText(turned), text);
  }));
});

Deno.test("parseManifest() rejects every truncated manifest", () => {
  const text = manifestText(parseManifest(written(["config.json"])));
  for (let length = 0; length < text.length - 2; length += 7) {
    throws(() => parseManifest(text.slice(0, length)), ManifestError);
  }
});

Deno.test("parseManifest() throws ManifestError for any invalid JSON", () => {
  fc.assert(fc.property(fc.json(), (json) => {
    throws(() => parseManifest(json), ManifestError);
  }));
});

for (
  const path of [
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a//b",
    "a/",
    "./a",
    "a\\b",
    "C:x",
    "a\0b",
    "a\nb",
    "..",
    "x ",
    "x.",
    "a/.../b",
    "manifest.json",
    "x".repeat(256),
  ]
) {
  Deno.test(`parseManifest() refuses the path ${JSON.stringify(path).slice(0, 40)}`, () => {
    throws(() => parseManifest(written([path])), ManifestError);
  });
}

for (
  const paths of [
    ["a", "a"],
    ["a", "A"],
    ["a", "a/b"],
    ["A/b", "a"],
    ["\u00e9", "e\u0301"],
  ]
) {
  Deno.test(`parseManifest() refuses paths that cannot coexist in a folder: ${paths}`, () => {
    throws(() => parseManifest(written(paths)), /cannot both be files/);
  });
}

const wrong: Record<string, readonly [string, RegExp]> = {
  "another version": [
    written(["a"], {}, { version: 2 }),
    /version 2 is not supported, expected 1/,
  ],
  "no files": [written([]), /lists no file/],
  "files that are no list": [
    written(["a"], {}, { files: {} }),
    /files is not a list/,
  ],
  "an unknown field": [written(["a"], { mode: 7 }), /unknown field "mode"/],
  "a size below zero": [written(["a"], { size: -1 }), /size is not a whole/],
  "a broken size": [written(["a"], { size: 1.5 }), /size is not a whole/],
  "parts of no size": [written(["a"], { part_size: 0 }), /of 1 or more/],
  "a missing part": [written(["a"], { part_sha256: [HASH] }), /1 hashes/],
  "a part too many": [
    written(["a"], { part_sha256: Array(4).fill(HASH) }),
    /4 entries, expected at most 3/,
  ],
  "a hash that is none": [written(["a"], { sha256: "AB" }), /not a SHA-256/],
  "a name that moves the cursor": [
    written(["a"], {}, { model: "\x1b[2J" }),
    /control characters/,
  ],
  "another revision": [
    written(["a"], {}, { revision: "0".repeat(40) }),
    /does not match the listed files/,
  ],
};

for (const [what, [text, message]] of Object.entries(wrong)) {
  Deno.test(`parseManifest() refuses ${what}`, () => {
    throws(() => parseManifest(text), (error) => {
      match(String(error), message);
      return error instanceof ManifestError;
    });
  });
}
