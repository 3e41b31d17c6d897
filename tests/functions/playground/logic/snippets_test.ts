/** Snippets of the page send the page's requests. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { framesOfApng } from "../../../../functions/playground/logic/apng.js";
import { readPng } from "../../../../functions/playground/logic/png_text.js";
import { settingsFromTexts } from "../../../../functions/playground/logic/file_settings.js";
import type { Settings } from "../../../../functions/playground/logic/settings.js";
import { SNIPPETS } from "../../../../functions/playground/logic/snippets.js";
import { listenClips, SMALL_CLIP } from "../../../support/clip_server.ts";
import { startServer } from "../../../support/server.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";
import { TINY_FOLDERS } from "../../../support/tiny_server.ts";

const KEY = "a-key-of-a-test";

const settings: Settings = {
  prompt: `it's a "cat" \\ $HOME \`x\` 猫\n%s`,
  "negative_prompt": "don't",
  height: 16,
  width: 24,
  "guidance_scale": 1.5,
  temperature: 0.9,
  "top_k": 20,
  "top_p": 0.95,
  seed: 2 ** 53 - 1,
  strategy: "autoregressive",
};

/** Runs `program` in its language, and returns the pictures that it wrote. */
async function pictures(
  name: keyof typeof SNIPPETS,
  program: string,
): Promise<Uint8Array<ArrayBuffer>[]> {
  using folder = temporaryFolder();
  const [command, ...args] = {
    "curl": ["bash", "-c", program],
    "JavaScript": [Deno.execPath(), "eval", "--ext=mjs", program],
    "Python": ["python3", "-c", program],
  }[name];
  const { success, stderr } = await new Deno.Command(command!, {
    args,
    cwd: folder.path,
    env: { EMU3_KEY: KEY, NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  strictEqual(success, true, new TextDecoder().decode(stderr));
  return written(folder.path);
}

/** Returns the pictures in a folder, also those in JSON. */
function written(folder: string): Uint8Array<ArrayBuffer>[] {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  return names.sort().map((name) =>
    name.endsWith(".json")
      ? JSON.parse(Deno.readTextFileSync(`${folder}/${name}`)).images.map(
        (image: { b64_json: string }) => Uint8Array.fromBase64(image.b64_json),
      )
      : Deno.readFileSync(`${folder}/${name}`)
  ).flat();
}

Deno.test("SNIPPETS draw the pictures of their settings, with and without a key", async (t) => {
  const env = { MODEL: TINY_FOLDERS.gen, THREADS: "1" };
  for (const keyed of [false, true]) {
    await using server = await startServer({
      ...env,
      ...keyed && { API_KEYS: KEY },
    });
    for (const [name, write] of Object.entries(SNIPPETS)) {
      await t.step(`${name}${keyed ? ", with a key" : ""}`, async () => {
        const n = keyed ? 2 : 1;
        const asked = n === 1 ? settings : { ...settings, n };
        const program = write(asked, { origin: server.url, keyed });
        const language = name as keyof typeof SNIPPETS;
        const drawn = await pictures(language, program);
        strictEqual(drawn.length, n);
        const png = await readPng(drawn[0]!);
        deepStrictEqual(
          settingsFromTexts(png!.texts, png!)?.settings,
          settings,
        );
      });
    }
  }
});

Deno.test("SNIPPETS draw the clips of their settings", async (t) => {
  await using server = await listenClips();
  const asked = { ...SMALL_CLIP, fps: 5 };
  for (const [name, write] of Object.entries(SNIPPETS)) {
    await t.step(name, async () => {
      const program = write(asked, { origin: server.url, keyed: false });
      const [file, ...others] = await pictures(
        name as keyof typeof SNIPPETS,
        program,
      );
      deepStrictEqual(others, []);
      const frames = framesOfApng(file!);
      deepStrictEqual(
        frames.map(({ ms }) => ms),
        Array(asked.frames).fill(200),
      );
    });
  }
});
