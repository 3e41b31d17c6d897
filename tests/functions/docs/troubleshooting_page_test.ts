/**
 * The messages on the troubleshooting page, against the sources that throw
 * them.
 *
 * @module
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import {
  type ProblemCode,
  PROBLEMS,
} from "../../../functions/http/errors/problems.ts";

const ROOT = new URL("../../../", import.meta.url);

const PAGE = Deno.readTextFileSync(
  new URL("functions/docs/troubleshooting.md", ROOT),
);

Deno.test("functions/docs/troubleshooting.md quotes messages of the sources", () => {
  const messages = [...PAGE.matchAll(/^\| `([^`]+)` *\|/gm)]
    .map(([, message = ""]) => message);
  ok(messages.length > 50, `${messages.length} messages`);
  const sources = ["functions/", "lib/", "deploy/"]
    .flatMap((folder) => [...textsIn(folder)])
    .join("\n").replaceAll('\\"', '"');
  const strange = messages.filter((message) =>
    !constantParts(message).every((part) => sources.includes(part))
  );
  deepStrictEqual(strange, []);
});

Deno.test("functions/docs/troubleshooting.md states the status of each problem", () => {
  const rows = [...PAGE.matchAll(/^\| +(\d{3}) \| `([\w-]+)` *\|/gm)];
  ok(rows.length > 10, `${rows.length} problems`);
  const wrong = rows.filter(([, status, code]) =>
    PROBLEMS[code as ProblemCode]?.status !== Number(status)
  );
  deepStrictEqual(wrong.map(([, , code]) => code), []);
});

/** Returns the parts of a message between its ellipses, without punctuation. */
function constantParts(message: string): string[] {
  return message.split(/…(?!VisionTokenizer)/)
    .map((part) => part.replaceAll(/^[\s:;,()"]+|[\s:;,()"]+$/g, ""));
}

/** Yields the texts of the TypeScript files below `folder`. */
function* textsIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isDirectory) yield* textsIn(`${folder}${name}/`);
    else if (name.endsWith(".ts")) {
      yield Deno.readTextFileSync(new URL(`${folder}${name}`, ROOT));
    }
  }
}
