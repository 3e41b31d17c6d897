import { deepStrictEqual, match, ok, throws } from "node:assert/strict";
import { parseArguments } from "../../../deploy/models/arguments.ts";
import { UsageError } from "../../../lib/command_line.ts";

const good: Record<string, unknown> = {
  "pull a b@c": { command: "pull", sources: ["a", "b@c"] },
  "list": { command: "list" },
  "verify a": { command: "verify", sources: ["a"] },
  "verify --all": { command: "verify", sources: [] },
  "prune": {
    command: "prune",
    keep: [],
    olderThanMs: undefined,
    partial: false,
    dryRun: false,
  },
  "prune --keep a --older-than 2d --keep=b --dry-run --partial": {
    command: "prune",
    keep: ["a", "b"],
    olderThanMs: 172_800_000,
    partial: true,
    dryRun: true,
  },
  "prune --older-than 12h": {
    command: "prune",
    keep: [],
    olderThanMs: 43_200_000,
    partial: false,
    dryRun: false,
  },
  "publish a --replace s3://b/c": {
    command: "publish",
    source: "a",
    target: "s3://b/c",
    replace: true,
  },
};

for (const [line, expected] of Object.entries(good)) {
  Deno.test(`parseArguments() parses "${line}"`, () => {
    deepStrictEqual(parseArguments(line.split(" ")), expected);
  });
}

const bad: Record<string, RegExp> = {
  "": /the command is missing, expected pull, list/,
  "fetch a": /"fetch" is not a command/,
  "constructor": /"constructor" is not a command/,
  "pull": /the source is missing/,
  "pull a --all": /--all is not an option of pull/,
  "list a": /"a" is unexpected/,
  "verify": /expected either sources or --all/,
  "verify a --all": /expected either sources or --all/,
  "prune a": /"a" is unexpected/,
  "prune --older-than 3w": /"3w", expected days or hours such as 30d/,
  "publish a": /a source and a target/,
  "publish a b c": /"c" is unexpected/,
  "list --fast": /--fast/,
};

for (const [line, message] of Object.entries(bad)) {
  Deno.test(`parseArguments() reports the fault of "models ${line}", with the usage`, () => {
    const words = line.split(" ").filter((word) => word !== "");
    throws(() => parseArguments(words), (error) => {
      ok(error instanceof UsageError);
      match(error.message, message);
      match(error.message, /Usage: deno task models/);
      return true;
    });
  });
}
