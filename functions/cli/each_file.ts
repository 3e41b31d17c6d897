/**
 * The work over many files: a few at once; a failure does not stop the others.
 *
 * @module
 */

import pLimit from "p-limit";
import type { CommandContext } from "./command.ts";
import type { InputFile } from "./input_files.ts";

/** Concurrent files: one is read or written while a model runs. */
const AT_ONCE = 2;

/** Exit codes of a command over files. */
const DONE = 0;
const SOME_FAILED = 1;

/**
 * Runs `work` on each file and returns the exit code: 0, or 1 if a file failed.
 * The reason is printed with its path.
 */
export async function eachFile(
  files: readonly InputFile[],
  { progress }: Pick<CommandContext, "progress">,
  work: (file: InputFile) => Promise<void>,
): Promise<number> {
  const limit = pLimit(AT_ONCE);
  let ended = 0;
  let failed = 0;
  const start = performance.now();
  const report = () => {
    const seconds = (performance.now() - start) / 1000;
    const left = Math.ceil(seconds / ended * (files.length - ended));
    progress.show(`${ended} of ${files.length} files, ${left} s left`);
  };
  await Promise.all(files.map((file) =>
    limit(async () => {
      try {
        await work(file);
      } catch (error) {
        failed++;
        const reason = error instanceof Error ? error.message : String(error);
        progress.print(`${file.path}: ${reason}`);
      }
      ended++;
      if (files.length > 1) report();
    })
  ));
  progress.clear();
  if (failed > 0 && files.length > 1) {
    progress.print(`${failed} of ${files.length} files failed`);
  }
  return failed > 0 ? SOME_FAILED : DONE;
}
