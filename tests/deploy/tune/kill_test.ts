import { deepStrictEqual, match, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import {
  floatTensor,
  writeSafetensors,
} from "../../../deploy/tune/safetensors_writer.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { writtenRecords } from "../../support/written_records.ts";

const SCRIPT = new URL("../../support/tune_process.ts", import.meta.url);

const metricsOf = (out: string) => writtenRecords(join(out, "metrics.jsonl"));

/** Runs the process; kills it once it has written `lines` lines of metrics. */
async function run(out: string, lines = Infinity): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", SCRIPT.pathname, out],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  let ended = false;
  const status = child.status.finally(() => ended = true);
  while (!ended && lines < Infinity) {
    if (metricsOf(out).length >= lines) {
      child.kill("SIGKILL");
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await status;
}

Deno.test("tune loses nothing when it is killed, wherever it is", async () => {
  using temporary = temporaryFolder();
  const whole = join(temporary.path, "whole");
  const killed = join(temporary.path, "killed");
  await run(whole);
  for (const lines of [2, 5, 9]) await run(killed, lines);
  await run(killed);
  const steps = (out: string) =>
    metricsOf(out).map(({ step, loss }) => [step, loss]);
  deepStrictEqual(steps(killed), steps(whole));
  const file = "adapter_model.safetensors";
  deepStrictEqual(
    await Deno.readFile(join(killed, file)),
    await Deno.readFile(join(whole, file)),
  );
});

Deno.test("writeSafetensors leaves the earlier file when the disk is full", async () => {
  using temporary = temporaryFolder();
  const path = join(temporary.path, "a.safetensors");
  const tensor = floatTensor("x", [2], Float32Array.of(1, 2));
  await writeSafetensors(path, [tensor], {});
  const before = await Deno.readFile(path);
  const full = Object.assign(new Error("ENOSPC: no space left on device"), {
    code: "ENOSPC",
  });
  await rejects(
    writeSafetensors(path, [
      tensor,
      { ...tensor, name: "y", read: () => Promise.reject(full) },
    ], {}),
    (error: Error) => {
      match(
        error.message,
        /Cannot write .*: the disk is full.* or set --out to another/,
      );
      return true;
    },
  );
  deepStrictEqual(await Deno.readFile(path), before);
  const names = await Array.fromAsync(
    Deno.readDir(temporary.path),
    ({ name }) => name,
  );
  deepStrictEqual(names, ["a.safetensors"]);
  ok(before.length > 8);
});
