/**
 * Quantizes a checkpoint in small bands, and is killed when a third is done.
 *
 * Arguments: source, target.
 *
 * @module
 */

import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";

const [source, target] = Deno.args;
const progress = quantizeCheckpoint(source!, target!, {
  precision: "int4",
  threads: 2,
  program: "test",
  bandBytes: 2048,
});
for await (const { doneBytes, totalBytes } of progress) {
  if (doneBytes > totalBytes / 3) Deno.kill(Deno.pid, "SIGKILL");
}
