import { match, rejects, strictEqual } from "node:assert/strict";
import { CheckpointError } from "../../../lib/errors.ts";
import {
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../../lib/loading/checkpoint.ts";
import { placeholderReason } from "../../../lib/loading/placeholder.ts";
import { openTextSide } from "../../../lib/loading/text_files.ts";
import { changedFolder } from "../../support/changed_folder.ts";
import { goldenPath } from "../../support/golden.ts";
import { LFS_POINTER } from "../../support/lfs_pointer.ts";

function reasonOf(text: string, path = "file"): string | undefined {
  return placeholderReason(path, new TextEncoder().encode(text));
}

Deno.test("placeholderReason() distinguishes Git LFS pointers and web pages from content", () => {
  match(String(reasonOf(LFS_POINTER)), /Git LFS pointer.*git lfs pull/);
  match(
    String(reasonOf(LFS_POINTER.replace("git-lfs", "hawser"))),
    /Git LFS pointer/,
  );
  match(String(reasonOf("\n<!DOCTYPE html>\n<html>")), /web page/);
  match(String(reasonOf("<html lang=en>")), /web page/);
  strictEqual(reasonOf("<html>", "index.html"), undefined);
  for (
    const text of ["", "{}", "version 1", ` ${LFS_POINTER}`, "<|endoftext|>"]
  ) {
    strictEqual(reasonOf(text), undefined, text);
  }
});

const FOLDERS = {
  original: goldenPath("checkpoints/emu3-tiny"),
  transformers: goldenPath("checkpoints/emu3-tiny-hf"),
  vision: goldenPath("checkpoints/emu3-tiny-visiontokenizer"),
};

/** Files that a layout is opened with. */
const READ: Record<keyof typeof FOLDERS, readonly string[]> = {
  original: [
    "config.json",
    "generation_config.json",
    "model.safetensors.index.json",
    "model-00002-of-00002.safetensors",
    "emu3.tiktoken",
    "emu3_vision_tokens.txt",
    "tokenizer_config.json",
  ],
  transformers: ["config.json", "model.safetensors", "tokenizer.json"],
  vision: ["config.json", "model.safetensors", "preprocessor_config.json"],
};

for (const layout of ["original", "transformers", "vision"] as const) {
  for (const name of READ[layout]) {
    Deno.test(`a Git LFS pointer in place of ${name} is named (${layout})`, async () => {
      using folder = changedFolder(FOLDERS[layout], { [name]: LFS_POINTER });
      const open = async () => {
        if (layout === "vision") return await openVisionCheckpoint(folder.path);
        const checkpoint = await openLanguageCheckpoint(folder.path);
        using side = (await openTextSide(checkpoint)).text;
        return side;
      };
      await rejects(open, (error) => {
        strictEqual(error instanceof CheckpointError, true, String(error));
        const { file, message } = error as CheckpointError;
        strictEqual(file, `${folder.path}/${name}`);
        match(message, /it is a Git LFS pointer.*"git lfs pull"/);
        return true;
      });
    });
  }
}
