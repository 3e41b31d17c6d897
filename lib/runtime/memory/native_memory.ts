/**
 * The native memory: mapped files, and blocks that are released to the system
 * page by page.
 *
 * Boundary file: calls the C library. If it lacks these functions (Windows),
 * {@linkcode nativeMemory} is undefined.
 *
 * @module
 */

import { RuntimeError } from "../../errors.ts";

/** The memory functions of the system. */
export interface NativeMemory {
  /**
   * Maps the file at `path`; its pages are read on first access, and shared
   * with all other processes that map it.
   *
   * @throws {RuntimeError} If the system refuses.
   */
  mapFile(path: string): MappedBytes;
  /**
   * Allocates `byteLength` zero bytes, which take physical memory only where
   * they are written.
   *
   * @throws {RuntimeError} If the system refuses.
   */
  allocate(byteLength: number): AllocatedBytes;
}

/** The bytes of a mapped file. */
export interface MappedBytes extends Disposable {
  /** Pointer to the first byte. */
  readonly pointer: Deno.PointerObject;
  /**
   * Reads a range of bytes ahead of its first access, on another thread. The
   * system may ignore this hint.
   */
  readAhead(byteOffset: number, byteLength: number): Promise<void>;
  /**
   * Releases the pages that were read; they are read again on the next access.
   */
  releasePages(): void;
}

/** A block of memory. */
export interface AllocatedBytes extends Disposable {
  /** The whole block, which must not be used after disposal. */
  readonly buffer: ArrayBuffer;
  /**
   * Releases the whole pages within a range of bytes; their contents are lost.
   */
  releasePages(byteOffset: number, byteLength: number): void;
}

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  close: { parameters: ["i32"], result: "i32" },
  mmap: {
    parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"],
    result: "pointer",
  },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  madvise: { parameters: ["pointer", "usize", "i32"], result: "i32" },
  readAhead: {
    name: "madvise",
    parameters: ["pointer", "usize", "i32"],
    result: "i32",
    nonblocking: true,
  },
  getpagesize: { parameters: [], result: "i32" },
} as const;

/** The constants that differ between systems. */
interface System {
  /** Name of the C library. */
  readonly library: string;
  /** Value of `MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE`. */
  readonly anonymous: number;
  /** Value of `MADV_DONTNEED`, or of its nearest equivalent. */
  readonly releasePages: number;
  /** Value of `MADV_POPULATE_READ`, or of its nearest equivalent. */
  readonly readAhead: number;
}

const SYSTEMS: Readonly<Record<string, System>> = {
  linux: {
    library: "libc.so.6",
    anonymous: 0x4022,
    releasePages: 4,
    readAhead: 22,
  },
  darwin: {
    library: "libSystem.B.dylib",
    anonymous: 0x1042,
    releasePages: 5,
    readAhead: 3,
  },
};

const READ = 1;
const READ_WRITE = 3;
const MAP_PRIVATE = 2;
const SEEK_END = 2;
const DONT_NEED = 4;

/** The memory functions of the system; undefined if they are not available. */
export const nativeMemory: NativeMemory | undefined = openMemory();

function openMemory(): NativeMemory | undefined {
  const system = SYSTEMS[Deno.build.os];
  if (system === undefined) return undefined;
  let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  try {
    ({ symbols } = Deno.dlopen(system.library, SYMBOLS));
  } catch {
    // Another C library under another name, such as musl's.
    return undefined;
  }
  const pageSize = symbols.getpagesize();
  const map = (length: number, access: number, flags: number, file: number) => {
    const pointer = symbols.mmap(null, BigInt(length), access, flags, file, 0n);
    // Failure is the address −1.
    if (pointer === null || Deno.UnsafePointer.value(pointer) === -1n) {
      throw new RuntimeError(
        `Cannot allocate ${length} bytes: the system is out of memory`,
      );
    }
    return pointer;
  };
  return {
    mapFile: (path) => {
      const file = symbols.open(new TextEncoder().encode(`${path}\0`), 0);
      if (file < 0) throw new RuntimeError(`Cannot map "${path}"`);
      try {
        const byteLength = Number(symbols.lseek(file, 0n, SEEK_END));
        const pointer = map(byteLength, READ, MAP_PRIVATE, file);
        const length = BigInt(byteLength);
        return {
          pointer,
          readAhead: async (offset, length) => {
            const first = Math.floor(offset / pageSize) * pageSize;
            const start = Deno.UnsafePointer.value(pointer) + BigInt(first);
            await symbols.readAhead(
              Deno.UnsafePointer.create(start),
              BigInt(offset + length - first),
              system.readAhead,
            );
          },
          releasePages: () => void symbols.madvise(pointer, length, DONT_NEED),
          [Symbol.dispose]: () => void symbols.munmap(pointer, length),
        };
      } finally {
        symbols.close(file);
      }
    },
    allocate: (byteLength) => {
      const pointer = map(byteLength, READ_WRITE, system.anonymous, -1);
      const start = Deno.UnsafePointer.value(pointer);
      return {
        buffer: Deno.UnsafePointerView.getArrayBuffer(pointer, byteLength),
        releasePages: (offset, length) => {
          const first = Math.ceil(offset / pageSize) * pageSize;
          const end = Math.floor((offset + length) / pageSize) * pageSize;
          if (end <= first) return;
          symbols.madvise(
            Deno.UnsafePointer.create(start + BigInt(first)),
            BigInt(end - first),
            system.releasePages,
          );
        },
        [Symbol.dispose]: () =>
          void symbols.munmap(pointer, BigInt(byteLength)),
      };
    },
  };
}
