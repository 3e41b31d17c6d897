/**
 * The reader of Linux system files, under `/proc` and `/sys`.
 *
 * Boundary file: calls the C library, because Deno denies these files to
 * programs without all permissions.
 *
 * @module
 */

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

/** Value of `O_RDONLY | O_CLOEXEC`. */
const READ_ONLY = 0x80000;

const PIECE_BYTES = 1 << 14;

/**
 * Returns the text at `path`, such as `/proc/self/cgroup`.
 *
 * @returns Undefined if the file does not exist or cannot be read.
 */
export function readSystemFile(path: string): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  let library: Deno.DynamicLibrary<typeof SYMBOLS>;
  try {
    library = Deno.dlopen("libc.so.6", SYMBOLS);
  } catch {
    // Another C library under another name, or native code is not allowed.
    return undefined;
  }
  try {
    return readWhole(library.symbols, path);
  } finally {
    library.close();
  }
}

function readWhole(
  { open, read, close }: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"],
  path: string,
): string | undefined {
  const file = open(new TextEncoder().encode(`${path}\0`), READ_ONLY);
  if (file < 0) return undefined;
  try {
    const decoder = new TextDecoder();
    const piece = new Uint8Array(PIECE_BYTES);
    let text = "";
    for (;;) {
      // Such files report no size, so they are read to the end.
      const count = Number(read(file, piece, BigInt(piece.length)));
      if (count < 0) return undefined;
      if (count === 0) return text + decoder.decode();
      text += decoder.decode(piece.subarray(0, count), { stream: true });
    }
  } finally {
    close(file);
  }
}
