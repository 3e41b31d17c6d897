/**
 * The tables of memory on the pages about compatibility and GPUs, against the
 * functions that compute them.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import {
  cacheTable,
  cardTable,
  visionTable,
  weightTable,
} from "../../support/memory_tables.ts";

const COMPATIBILITY = "models/docs/compatibility.md";

const TABLES = [
  [COMPATIBILITY, "weights", weightTable()],
  [COMPATIBILITY, "keys and values", cacheTable()],
  [COMPATIBILITY, "the vision tokenizer", visionTable()],
  ["deploy/docs/gpu.md", "cards", cardTable()],
] as const;

for (const [file, what, table] of TABLES) {
  Deno.test(`${file} has the computed table of ${what}`, () => {
    const url = new URL(`../../../${file}`, import.meta.url);
    const page = unaligned(Deno.readTextFileSync(url));
    ok(page.includes(unaligned(table)), `write into ${file}:\n${table}`);
  });
}

/** Returns Markdown without the alignment of its tables. */
function unaligned(text: string): string {
  return text.replaceAll(/ +\|/g, " |").replaceAll(/\| -+:? \|/g, "|-|")
    .replaceAll(/-{3,}:? /g, "- ").replaceAll(/\| +/g, "| ");
}
