import { strictEqual } from "node:assert/strict";
import { resolve } from "node:path";
import {
  impliedName,
  sourceKey,
} from "../../../functions/models/pending_download.ts";

Deno.test("impliedName() derives a name from a source", () => {
  const names: [string, string][] = [
    ["/models/Emu3-Gen", "Emu3-Gen"],
    ["/models/Emu3@v1/", "Emu3@v1"],
    ["/hub/models--BAAI--Emu3-Gen/snapshots/abc", "Emu3-Gen"],
    ["BAAI/Emu3-Gen", "Emu3-Gen"],
    ["BAAI/Emu3-Gen@refs/pr/1", "Emu3-Gen"],
    ["hf://BAAI/Emu3-Gen@main", "Emu3-Gen"],
    ["s3://bucket/some/where/Emu3-Gen/", "Emu3-Gen"],
    ["gs://bucket/Emu3-Gen", "Emu3-Gen"],
    ["https://example.org/models/Emu3-Gen?signature=1", "Emu3-Gen"],
    ["./models/emu3-mini", "emu3-mini"],
    ["my models/Emu3-Gen", "Emu3-Gen"],
    ["org/Emu3-Gen@v1, s3://bucket/gen", "Emu3-Gen"],
    ["s3://bucket/gen https://example.org/other", "gen"],
  ];
  for (const [source, name] of names) strictEqual(impliedName(source), name);
});

Deno.test("sourceKey() is equal for every way to write a source", () => {
  const here = resolve("lib");
  strictEqual(sourceKey("lib/../lib/"), sourceKey(here));
  strictEqual(sourceKey("hf://org/A"), sourceKey("org/A"));
  strictEqual(sourceKey("s3://bucket/A/"), sourceKey("s3://bucket/A"));
});
