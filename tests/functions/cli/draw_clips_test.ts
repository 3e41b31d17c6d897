import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import type { CommandContext } from "../../../functions/cli/command.ts";
import { DRAW } from "../../../functions/cli/draw.ts";
import { readHeader } from "../../../lib/image/header.ts";
import { openClipServer } from "../../support/clip_server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const server = await openClipServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

/** Runs `task draw` on the tiny checkpoint, and returns what it printed. */
async function draw(...words: string[]): Promise<string[]> {
  const printed: string[] = [];
  const context = {
    endpoint: {
      place: "here",
      request: async (path: string, init: RequestInit) =>
        await server.app.request(path, init),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    progress: {
      show: () => {},
      print: (line: string) => void printed.push(line),
    },
    say: () => {},
    readText: () => Promise.resolve(""),
  };
  // Only what the command uses of the line of progress.
  const work = DRAW.prepare(["a fox", "--seed", "5", ...words]);
  strictEqual(await work(context as unknown as CommandContext), 0);
  return printed;
}

async function header(path: string) {
  const { frames, height, width } = readHeader(await Deno.readFile(path));
  return { frames, height, width };
}

Deno.test("task draw writes a clip, in the format of the file's extension", async () => {
  using folder = temporaryFolder();
  const size = { height: 16, width: 24 };
  const words = ["--size", "24x16", "--frames", "3", "--fps", "4"];
  for (const extension of ["png", "gif"]) {
    const out = `${folder.path}/fox.${extension}`;
    deepStrictEqual(await draw(...words, "-o", out), [out]);
    deepStrictEqual(await header(out), { frames: 3, ...size });
  }
  const zip = `${folder.path}/fox.zip`;
  await draw(...words, "-o", zip);
  const bytes = await Deno.readFile(zip);
  strictEqual(new TextDecoder().decode(bytes.subarray(0, 2)), "PK");
});

Deno.test("task draw continues a picture or an animation, given ones included", async () => {
  using folder = temporaryFolder();
  const still = `${folder.path}/still.png`;
  const clip = `${folder.path}/clip.png`;
  const longer = `${folder.path}/longer.gif`;
  await draw("--size", "24x16", "-o", still);
  await draw(
    "--context",
    still,
    "--frames",
    "2",
    "-o",
    clip,
    "--size",
    "24x16",
  );
  strictEqual((await header(clip)).frames, 2);
  await draw(
    "--context",
    clip,
    "--frames",
    "5",
    "-o",
    longer,
    "--size",
    "24x16",
  );
  strictEqual((await header(longer)).frames, 5);
});

Deno.test("task draw refuses a file that is none of a clip, and a context that is missing", async () => {
  throws(
    () => DRAW.prepare(["a fox", "--frames", "3", "-o", "fox.jpg"]),
    /use \.png, \.gif, \.mp4 or \.zip/,
  );
  throws(() => DRAW.prepare(["a fox", "--frames", "many"]), SyntaxError);
  await rejects(
    () => draw("--context", "/nowhere/fox.png", "--frames", "3"),
    /Cannot read \/nowhere\/fox\.png/,
  );
  ok(DRAW.usage.includes("--context"));
});
