import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  parseSource,
  parseSources,
  withoutSecrets,
} from "../../../deploy/cache/source.ts";

const folder = (text: string, path: string, name: string) => ({
  type: "folder",
  text,
  path,
  name,
});
const hub = (text: string, name: string, revision: string) => ({
  type: "hub",
  text,
  owner: "org",
  name,
  revision,
});
const url = (text: string, type: string, url: string, name: string) => ({
  type,
  text,
  url,
  name,
});

Deno.test("parseSource() distinguishes folders, repositories and URLs", () => {
  const expected = [
    folder("/models/Emu3-Gen", "/models/Emu3-Gen", "Emu3-Gen"),
    folder("./a/b", "./a/b", "b"),
    folder("../Emu3", "../Emu3", "Emu3"),
    folder("Emu3-Gen", "Emu3-Gen", "Emu3-Gen"),
    folder("a/b/c", "a/b/c", "c"),
    folder("C:\\models\\x", "C:\\models\\x", "C:\\models\\x"),
    folder("file:///models/a%20b", "/models/a b", "a b"),
    hub("org/Emu3-Gen", "Emu3-Gen", "main"),
    hub("org/name@v1.0", "name", "v1.0"),
    hub("hf://org/name", "name", "main"),
    hub("hf://org/name@refs/pr/1", "name", "refs/pr/1"),
    url("s3://bucket/a/Emu3/", "s3", "s3://bucket/a/Emu3", "Emu3"),
    url("gs://bucket/Emu3", "gs", "gs://bucket/Emu3", "Emu3"),
    url("s3://bucket", "s3", "s3://bucket", "bucket"),
    url("https://h/a/b?t=1", "https", "https://h/a/b?t=1", "b"),
  ];
  for (const source of expected) {
    deepStrictEqual({ ...parseSource(source.text) }, source);
  }
});

Deno.test("parseSources() accepts commas and spaces between mirrors", () => {
  deepStrictEqual(
    parseSources(" org/a, /b\n\ts3://c/d ").map(({ text }) => text),
    ["org/a", "/b", "s3://c/d"],
  );
  throws(() => parseSources(" , "), /expected a folder, org\/name or a URL/);
});

Deno.test("parseSource() names the valid forms", () => {
  const bad: readonly (readonly [string, RegExp])[] = [
    ["ftp://user:secret@host/x", /expected a folder.*not "ftp:\/\/host\/x"/],
    ["hf://org", /expected hf:\/\/org\/name/],
    ["hf://org/../x", /expected hf:/],
    ["hf://org/name@../../x", /expected hf:/],
    ["hf://org/name@a//b", /expected hf:/],
    ["https://", /expected https:\/\/…\/name/],
    ["file://host/x", /expected file:\/\/\/folder/],
  ];
  for (const [text, message] of bad) {
    throws(
      () => parseSource(text),
      (error) => error instanceof SyntaxError && message.test(error.message),
      text,
    );
  }
});

Deno.test("parseSource() returns a name for a remote model that stays within its folder", () => {
  const pieces = fc.constantFrom(
    ..."/.@:%\\ ~?#-",
    "..",
    "hf://",
    "s3://",
    "https://",
    "org/name",
    "%2e%2e",
    "%2F",
    "ü",
  );
  fc.assert(fc.property(
    fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 8 }),
    (parts) => {
      try {
        const source = parseSource(parts.join(""));
        if (source.type === "folder") return;
        ok(/^[\w][\w.-]*$/.test(source.name), source.name);
      } catch (error) {
        ok(error instanceof SyntaxError);
      }
    },
  ));
});

Deno.test("withoutSecrets() removes credentials and signatures", () => {
  strictEqual(
    withoutSecrets("https://me:pass@host/a/b?signature=x#y"),
    "https://host/a/b",
  );
  strictEqual(withoutSecrets("org/name@v1"), "org/name@v1");
});
