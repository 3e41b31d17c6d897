/** The options of `task start`. */

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { UsageError } from "../../../lib/command_line.ts";
import {
  optionOf,
  parseStartOptions,
} from "../../../functions/config/start_options.ts";
import { VARIABLES } from "../../../functions/variables.ts";

Deno.test("parseStartOptions() sets each variable except secrets", () => {
  for (const name of Object.keys(VARIABLES)) {
    const words = [`--${optionOf(name)}`, "value"];
    const secret = /KEYS?$|TOKEN$|SECRET$/.test(name);
    if (secret) {
      throws(() => parseStartOptions(words), new RegExp(`set ${name}`));
      continue;
    }
    const { variables } = parseStartOptions(words);
    deepStrictEqual([...variables], [[name, "value"]]);
  }
});

Deno.test("parseStartOptions() refuses words and unknown options", () => {
  for (
    const [words, reason] of [
      [["serve"], /unexpected argument "serve"/],
      [["--prot", "9000"], /unknown option --prot: did you mean --port\?/],
      [["--port"], /--port/],
      [["--api-keys=a"], /--api-keys would expose a secret/],
    ] as const
  ) {
    throws(() => parseStartOptions(words), (error) => {
      ok(error instanceof UsageError);
      ok(reason.test(error.message), error.message);
      return /Usage: deno task start/.test(error.message);
    });
  }
});

Deno.test("parseStartOptions() parses --help and --version", () => {
  strictEqual(parseStartOptions(["--help"]).help, true);
  strictEqual(parseStartOptions(["--version"]).version, true);
  const { help, version, variables } = parseStartOptions([]);
  deepStrictEqual([help, version, variables.size], [false, false, 0]);
});
