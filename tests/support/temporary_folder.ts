/**
 * The temporary folders of tests.
 *
 * @module
 */

import { dirname, join } from "node:path";

/** A temporary folder, deleted on disposal. */
export interface TemporaryFolder extends Disposable {
  /** Path of the folder. */
  readonly path: string;
  /** Writes the file `name` in it, and returns the file's path. */
  write(name: string, content: string | Uint8Array): string;
  /** Links `name` in it to `target`, which may be relative to the link. */
  link(name: string, target: string): string;
}

/** Creates an empty folder. */
export function temporaryFolder(): TemporaryFolder {
  const path = Deno.makeTempDirSync({ prefix: "emu3_test_" });
  const place = (name: string) => {
    const file = join(path, name);
    Deno.mkdirSync(dirname(file), { recursive: true });
    return file;
  };
  return {
    path,
    write: (name, content) => {
      const file = place(name);
      if (typeof content === "string") Deno.writeTextFileSync(file, content);
      else Deno.writeFileSync(file, content);
      return file;
    },
    link: (name, target) => {
      const file = place(name);
      Deno.symlinkSync(target, file);
      return file;
    },
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}
