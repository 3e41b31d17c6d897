/**
 * A process that quantizes a checkpoint in small chunks and is killed at a
 * third.
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
  chunkBytes: 2048,
});
for await (const { doneBytes, totalBytes } of progress) {
  if (doneBytes > totalBytes / 3) Deno.kill(Deno.pid, "SIGKILL");
}
