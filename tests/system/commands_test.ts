/**
 * The tests of the commands as processes, with local models and with a server.
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { readHeader } from "../../lib/image/header.ts";
import { plainPng } from "../support/bombs.ts";
import { startServer } from "../support/server.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../support/temporary_folder.ts";
import { TINY_FOLDERS } from "../support/tiny_server.ts";

const MAIN = new URL("../../functions/cli/main.ts", import.meta.url).pathname;

/** Runs a command in `cwd`. */
async function run(
  cwd: string,
  words: readonly string[],
  { env = {}, input }: {
    readonly env?: Record<string, string>;
    readonly input?: Uint8Array;
  } = {},
): Promise<{ code: number; out: Uint8Array; err: string }> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", MAIN, ...words],
    cwd,
    env: { MODEL: TINY_FOLDERS.gen, THREADS: "1", INIT_CWD: cwd, ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  if (input !== undefined) await writer.write(input);
  await writer.close();
  const { code, stdout, stderr } = await process.output();
  return { code, out: stdout, err: new TextDecoder().decode(stderr) };
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Writes images of 32 × 48 into a folder with a subfolder. */
async function pictures(folder: TemporaryFolder): Promise<void> {
  const png = await plainPng(32, 48);
  folder.write("photos/a.png", png);
  folder.write("photos/deep/b.png", png);
  folder.write("photos/notes.txt", "no picture");
}

Deno.test("deno task draw writes the requested number of images, equal for equal seeds", async () => {
  using folder = temporaryFolder();
  const words = ["draw", "a fox", "--seed", "7", "--size", "32x16"];
  const read = (path: string) => Deno.readFile(join(folder.path, path));
  const several = await run(folder.path, [
    ...words,
    "-n",
    "2",
    "-o",
    "x/a.png",
  ]);
  strictEqual(several.code, 0, several.err);
  strictEqual(several.err, "x/a-1.png\nx/a-2.png\n");
  const file = await read("x/a-1.png");
  const { height, width, type } = readHeader(file);
  deepStrictEqual({ height, width, type }, {
    height: 16,
    width: 32,
    type: "png",
  });
  const again = await run(folder.path, [...words, "-n", "2", "-o", "b.png"]);
  strictEqual(again.code, 0);
  deepStrictEqual(
    await read("b-2.png"),
    await read("x/a-2.png"),
  );
});

Deno.test("deno task draw reads the prompt from standard input and writes to standard output", async () => {
  using folder = temporaryFolder();
  const input = new TextEncoder().encode("a fox\n");
  const words = ["--size", "16x16", "--seed", "1", "-o", "-"];
  const piped = await run(folder.path, ["draw", "-", ...words], { input });
  const named = await run(folder.path, ["draw", "a fox", ...words]);
  strictEqual(readHeader(piped.out).width, 16);
  deepStrictEqual(piped.out, named.out);
});

Deno.test("deno task tokenize and detokenize process folders, and keep existing files", async () => {
  using folder = temporaryFolder();
  await pictures(folder);
  const { code, err } = await run(folder.path, [
    "tokenize",
    "photos",
    "-o",
    "codes",
  ]);
  strictEqual(code, 0, err);
  const at = (path: string) => Deno.readFile(join(folder.path, path));
  deepStrictEqual(await at("codes/a.npy"), await at("codes/deep/b.npy"));
  folder.write("codes/a.npy", "kept");
  const skipping = ["photos", "-o", "codes", "--skip-existing"];
  strictEqual((await run(folder.path, ["tokenize", ...skipping])).code, 0);
  strictEqual(text(await at("codes/a.npy")), "kept");
  const back = await run(folder.path, ["detokenize", "codes", "-o", "back"]);
  strictEqual(back.code, 1);
  match(back.err, /codes\/a\.npy: Cannot .*\n1 of 2 files failed\n$/s);
  const { height, width } = readHeader(await at("back/deep/b.png"));
  ok(height > 0 && width > height);
  const left = await Array.fromAsync(Deno.readDir(join(folder.path, "back")));
  deepStrictEqual(left.map(({ name }) => name), ["deep"]);
});

Deno.test("deno task draw uses the server of EMU3_URL, with its key", async () => {
  using folder = temporaryFolder();
  await pictures(folder);
  await using server = await startServer({
    MODEL: TINY_FOLDERS.chat,
    THREADS: "1",
    API_KEYS: "a-key-of-sixteen-characters",
  });
  const env = { EMU3_URL: `${server.url}/`, MODEL: "/nowhere" };
  const greedy = ["What is it?", "--max-tokens", "2", "--temperature", "0"];
  const words = ["ask", "photos/*.png", ...greedy];
  const refused = await run(folder.path, words, { env });
  strictEqual(refused.code, 1);
  match(refused.err, /photos\/a\.png: .*key/i);
  const key = { ...env, EMU3_API_KEY: "a-key-of-sixteen-characters" };
  const answered = await run(folder.path, words, { env: key });
  strictEqual(answered.code, 0, answered.err);
  const several = await run(
    folder.path,
    ["ask", "photos", ...greedy, "--json"],
    { env: key },
  );
  const lines = text(several.out).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  deepStrictEqual(
    lines.map(({ file }) => file).sort(),
    ["photos/a.png", "photos/deep/b.png"],
  );
  strictEqual(text(answered.out), `${lines[0].text.trim()}\n`);
});

Deno.test("deno task draw exits with 2 and its usage for invalid usage", async () => {
  using folder = temporaryFolder();
  const cases: readonly (readonly [string[], RegExp])[] = [
    [["draw"], /the prompt is missing/],
    [["draw", "a", "b"], /unexpected argument "b"; quote a prompt/],
    [
      ["draw", "a", "--sed", "1"],
      /unknown option --sed: did you mean --seed\?/,
    ],
    [["draw", "a", "--seed", "x"], /--seed "x" is not a number/],
    [["draw", "a", "--size", "9"], /--size "9" is not a size such as 128x128/],
    [
      ["draw", "a", "-n", "2", "-o", "-"],
      /-o - writes a single image; leave out --count/,
    ],
    [["ask"], /the image is missing/],
    [["tokenize", "a.png"], /--out is missing/],
    [
      ["detokenize", "a", "-o", "b", "--format", "bmp"],
      /"bmp" is not supported; expected png/,
    ],
  ];
  for (const [words, reason] of cases) {
    const { code, err, out } = await run(folder.path, words);
    strictEqual(code, 2, words.join(" "));
    match(err, reason);
    match(err, new RegExp(`Usage: deno task ${words[0]} `));
    strictEqual(out.length, 0);
  }
});

Deno.test("deno task draw exits with 1 and one line for a failure", async () => {
  using folder = temporaryFolder();
  folder.write("file", "");
  const nowhere = { EMU3_URL: "http://127.0.0.1:1" };
  const cases:
    readonly (readonly [string[], Record<string, string>, RegExp])[] = [
      [
        ["ask", "no.png", "What?"],
        {},
        /^Cannot find no\.png: no such file.*\n$/,
      ],
      [["draw", "a", "-o", "file/a.png"], {}, /^Cannot write file\/a\.png: /],
      [["draw", "a"], nowhere, /^Cannot reach http:\/\/127\.0\.0\.1:1: /],
      [["draw", "a"], { EMU3_URL: "here" }, /^Cannot use EMU3_URL "here": /],
      [["draw", "a"], { MODEL: "/nowhere" }, /^Cannot find model "\/nowhere"/],
      [["draw", "a", "--size", "9000x9000"], {}, /width|height/],
    ];
  for (const [words, env, reason] of cases) {
    const { code, err } = await run(folder.path, words, { env });
    strictEqual(code, 1, err);
    match(err, reason);
    ok(!/\n\s+at /.test(err), err);
  }
});
