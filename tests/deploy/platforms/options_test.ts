/**
 * The tests of invalid options and command lines, and of their messages.
 *
 * @module
 */

import {
  deepStrictEqual,
  doesNotMatch,
  match,
  strictEqual,
  throws,
} from "node:assert/strict";
import { parseArguments } from "../../../deploy/platforms/arguments.ts";
import { UsageError } from "../../../lib/command_line.ts";
import {
  checkOptions,
  type DeployOptions,
  OptionsError,
} from "../../../deploy/platforms/options.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { VARIABLES } from "../../../functions/variables.ts";

const LINE = ["docker", "--image", "emu3", "--dry-run"];
const { options: PLAIN } = parseArguments(LINE);

const REFUSED: readonly [Partial<DeployOptions>, RegExp][] = [
  [{ image: "Emu3 latest" }, /"Emu3 latest" is not the reference of an image/],
  [{ name: "Emu_3" }, /"Emu_3" is not a valid name/],
  [{ cpus: 0 }, /cpus is 0, expected 0.25 to 512/],
  [{ memoryGib: 1.5 }, /memoryGib is 1.5, expected/],
  [{ minServers: 3, maxServers: 2 }, /minServers is 3, expected at most/],
  [{ settings: { MODLE: "a" } }, /there is no variable MODLE/],
  [{ settings: { PRECISION: "int2" } }, /PRECISION cannot be "int2": expected/],
  [{ settings: { PORT: "80" } }, /PORT is set by the platform/],
  [{ settings: { SHUTDOWN_GRACE_S: "80" } }, /SHUTDOWN_GRACE_S is set by/],
  [{ settings: { API_KEYS: "hush" } }, /API_KEYS is a secret; use --secret/],
  [{ secrets: { SLOTS: "slots" } }, /SLOTS is not a secret/],
  [{ storage: "a", settings: { MODEL: "b" } }, /both name a model/],
];

for (const [change, message] of REFUSED) {
  Deno.test(`options with ${JSON.stringify(change)} are refused`, () => {
    throws(() => checkOptions({ ...PLAIN, ...change }, VARIABLES), (error) => {
      match(String(error), message);
      return error instanceof OptionsError;
    });
  });
}

Deno.test("checkOptions() rejects a secret given as its own reference, without repeating it", () => {
  for (const value of ["whsec_abcdefghijklmnop", "sha256:0123", "two words"]) {
    throws(
      () => checkOptions({ ...PLAIN, secrets: { API_KEYS: value } }, VARIABLES),
      (error) => {
        doesNotMatch(String(error), new RegExp(value));
        return error instanceof OptionsError;
      },
    );
  }
});

const MISUSED: readonly [string[], RegExp][] = [
  [[], /the platform is missing, expected docker,/],
  [["heroku", "--image", "a", "--dry-run"], /"heroku" is not a platform/],
  [
    ["docker", "fly", "--image", "a"],
    /"fly" is unexpected: one platform at a time/,
  ],
  [["docker", "--dry-run"], /--image is missing/],
  [["docker", "--image", "a"], /expected either --dry-run or --out/],
  [[...LINE, "--out", "b"], /expected either --dry-run or --out/],
  [[...LINE, "--cpus", "four"], /--cpus is "four", expected a number/],
  [[...LINE, "--set", "SLOTS"], /--set takes NAME=value/],
  [[...LINE, "--frobnicate"], /frobnicate/],
];

for (const [line, message] of MISUSED) {
  Deno.test(`deploy ${line.join(" ")} is refused`, () => {
    throws(() => parseArguments(line), (error) => {
      match(String(error), message);
      match(String(error), /Usage: deno task deploy/);
      return error instanceof UsageError;
    });
  });
}

Deno.test("parseArguments() turns options for models and the rest into settings", () => {
  const { options, platform, out } = parseArguments([
    ...["kserve", "--image", "emu3", "--out", "folder", "--gpu"],
    ...["--model", "BAAI/Emu3-Gen-hf", "--precision", "int4"],
    ...["--set", "CORS_ORIGINS=https://a.example", "--set", "SLOTS=8"],
    ...["--secret", "API_KEYS=keys", "--min", "0", "--max", "3"],
  ]);
  strictEqual(platform.name, "kserve");
  strictEqual(out, "folder");
  deepStrictEqual(options, {
    ...PLAIN,
    gpu: true,
    settings: {
      MODEL: "BAAI/Emu3-Gen-hf",
      PRECISION: "int4",
      CORS_ORIGINS: "https://a.example",
      SLOTS: "8",
    },
    secrets: { API_KEYS: "keys" },
    minServers: 0,
    maxServers: 3,
  });
});

Deno.test("deploy writes files once, and prints them without writing", async () => {
  await using folder = await temporaryFolder();
  const out = `${folder.path}/out`;
  const written = await deploy(["fly", "--image", "emu3", "--out", out]);
  strictEqual(written.code, 0);
  const text = await Deno.readTextFile(`${out}/fly.toml`);
  const shown = await deploy(["fly", "--image", "emu3", "--dry-run"]);
  match(shown.said, /^==> fly\.toml <==$/m);
  strictEqual(shown.said.includes(text), true);
  const again = await deploy(["fly", "--image", "emu3", "--out", out]);
  strictEqual(again.code, 1);
  match(again.said, /Cannot write files: .* nothing is overwritten/);
  const wrong = await deploy(["fly", "--image", "emu3", "--dry-run", "--gpu"]);
  strictEqual(wrong.code, 2);
  strictEqual(wrong.said, "Cannot deploy: fly has no GPUs; remove --gpu\n");
});

async function deploy(line: readonly string[]) {
  const main = new URL("../../../functions/cli/deploy.ts", import.meta.url);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--allow-read",
      "--allow-write",
      main.pathname,
      ...line,
    ],
  }).output();
  const [said, complained] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { code, said: said! + complained! };
}
