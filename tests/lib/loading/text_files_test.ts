import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { CheckpointError } from "../../../lib/errors.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../../lib/loading/text_files.ts";
import { goldenPath, TINY_VOCABULARY } from "../../support/golden.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";

const FOLDERS = {
  original: goldenPath("checkpoints/emu3-tiny"),
  transformers: goldenPath("checkpoints/emu3-tiny-hf"),
};

type Layout = keyof typeof FOLDERS;

/** A change to a text file; undefined removes the file. */
type Change = ((text: string) => string) | undefined;

/** Returns the checkpoint of a layout with one file changed. */
function changed(
  layout: Layout,
  name: string,
  change: Change,
): TemporaryFolder {
  const source = FOLDERS[layout];
  const folder = temporaryFolder();
  for (const entry of Deno.readDirSync(source)) {
    const from = `${source}/${entry.name}`;
    if (entry.name !== name) folder.link(entry.name, from);
    else if (change !== undefined) {
      folder.write(name, change(Deno.readTextFileSync(from)));
    }
  }
  return folder;
}

async function openAt(path: string) {
  return await openTextSide(await openLanguageCheckpoint(path));
}

for (const [layout, path] of Object.entries(FOLDERS)) {
  Deno.test(`openTextSide() takes every id from the files of the ${layout} layout (trap 1)`, async () => {
    const { text, vocabulary } = await openAt(path);
    using _ = text;
    // None of them is the published one: see trap 1 of the golden data.
    deepStrictEqual({ ...vocabulary }, TINY_VOCABULARY);
    const tokens = await text.encode("8*8");
    strictEqual(text.decode(tokens, { skipSpecial: false }), "8*8");
  });
}

Deno.test("openTextSide() needs no tokenizer_config.json", async () => {
  using folder = changed("original", "tokenizer_config.json", undefined);
  const { text, vocabulary } = await openAt(folder.path);
  using _ = text;
  strictEqual(vocabulary.bos, TINY_VOCABULARY.bos);
});

/** Cases of layout, file, change and expected error. */
const refused: Record<string, [Layout, string, Change, RegExp]> = {
  "the ranks are missing": [
    "original",
    "emu3.tiktoken",
    undefined,
    /emu3\.tiktoken: the file does not exist/,
  ],
  "a line of the ranks is broken": [
    "original",
    "emu3.tiktoken",
    (text) => text.replace(/^(.*\n){4}/, "$&???\n"),
    /emu3\.tiktoken: line 5/,
  ],
  "the list of vision tokens is missing": [
    "original",
    "emu3_vision_tokens.txt",
    undefined,
    /emu3_vision_tokens\.txt: the file does not exist/,
  ],
  "the list of vision tokens lacks the first": [
    "original",
    "emu3_vision_tokens.txt",
    (text) => text.replace("<|image token|>\n", ""),
    /emu3\.tiktoken: token "<\|image token\|>" is missing/,
  ],
  "tokenizer_config.json names a token that is not there": [
    "original",
    "tokenizer_config.json",
    (text) => text.replace("<|extra_203|>", "<|beginning|>"),
    /token "<\|beginning\|>" is missing/,
  ],
  "tokenizer_config.json is a list": [
    "original",
    "tokenizer_config.json",
    () => "[]",
    /tokenizer_config\.json: it is not a JSON object/,
  ],
  "config.json says another id": [
    "original",
    "config.json",
    (text) => text.replace('"eol_token_id": 1227', '"eol_token_id": 1226'),
    /config\.json: "eol_token_id" is 1226, but the tokenizer's files have 1227/,
  ],
  "config.json says a smaller vocabulary": [
    "original",
    "config.json",
    (text) => text.replace('"vocab_size": 1747', '"vocab_size": 1700'),
    /has id 1700, outside the range of special tokens, 1024…1699/,
  ],
  "tokenizer.json is missing": [
    "transformers",
    "tokenizer.json",
    undefined,
    /tokenizer\.json: the file does not exist/,
  ],
  "tokenizer.json is not JSON": [
    "transformers",
    "tokenizer.json",
    () => "{",
    /tokenizer\.json: /,
  ],
};

for (const [when, [layout, name, change, message]] of Object.entries(refused)) {
  Deno.test(`openTextSide() reports that ${when}`, async () => {
    using folder = changed(layout, name, change);
    await rejects(openAt(folder.path), (error) => {
      ok(error instanceof CheckpointError, String(error));
      ok(message.test(error.message), error.message);
      ok(error.message.includes(folder.path), error.message);
      return true;
    });
  });
}
