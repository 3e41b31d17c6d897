/**
 * The C API of ONNX Runtime as callable functions.
 *
 * `OrtGetApiBase()->GetApi(version)` is a struct of function pointers to which
 * entries are only appended, so an entry is identified by its index (the order
 * of `struct OrtApi` in onnxruntime_c_api.h). A call that fails returns a
 * status, which is converted to a {@linkcode RuntimeError}.
 *
 * Boundary file: pointers and type assertions are confined to it and
 * `tensor.ts`.
 *
 * @module
 */

import { RuntimeError } from "../errors.ts";
import {
  type CallName,
  CALLS,
  MADE,
  type ReleaseName,
  RELEASES,
} from "./api_table.ts";
import { type Library, libraryPath, openLibrary } from "./library.ts";

/** A native object. */
export type Pointer = Deno.PointerObject;

/** A value that may be passed to a native function. */
export type Argument = Deno.PointerValue | number | bigint | BufferSource;

/**
 * The requested version of the C API, which every library from 1.23 on
 * supports.
 */
const API_VERSION = 23;

/** Bytes of a function pointer. */
const POINTER_BYTES = 8;

/** A native function of any arguments that returns a pointer. */
type Native = (...args: Argument[]) => Deno.PointerValue;
type NativeAsync = (...args: Argument[]) => Promise<Deno.PointerValue>;

/** Calls the C API of one opened library. */
export class OrtApi {
  readonly #library: Library;
  readonly #table: Deno.UnsafePointerView;
  readonly #calls = new Map<CallName, Native>();
  readonly #asyncCalls = new Map<CallName, NativeAsync>();
  readonly #releases = new Map<ReleaseName, Native>();
  readonly #message: Native;
  readonly #freeStatus: Native;
  readonly #alive = new Map<ReleaseName, number>();
  /** The library's version, such as `1.30.0`. */
  readonly version: string;

  /**
   * Opens the library at `path`.
   *
   * @throws {RuntimeError} If the library cannot be opened.
   */
  constructor(path: string = libraryPath()) {
    this.#library = openLibrary(path);
    const base = this.#library.symbols.OrtGetApiBase();
    if (base === null) {
      throw new RuntimeError("Cannot use ONNX Runtime: the library has no API");
    }
    const view = new Deno.UnsafePointerView(base);
    const versionString = native(view.getPointer(POINTER_BYTES), [])();
    this.version = versionString === null
      ? "unknown"
      : Deno.UnsafePointerView.getCString(versionString);
    const table = native(view.getPointer(0), ["u32"])(API_VERSION);
    if (table === null) {
      throw new RuntimeError(
        `Cannot use ONNX Runtime ${this.version} at "${path}": it does not support API version ${API_VERSION}; install version 1.30`,
      );
    }
    this.#table = new Deno.UnsafePointerView(table);
    this.#message = native(this.#entry(2), ["pointer"]);
    this.#freeStatus = release(this.#entry(93));
  }

  /** Number of live native objects, by the function that frees them. */
  get alive(): ReadonlyMap<ReleaseName, number> {
    return this.#alive;
  }

  /**
   * Counts `count` objects that ONNX Runtime returned and that must be freed.
   */
  adopt(name: ReleaseName, count = 1): void {
    this.#alive.set(name, (this.#alive.get(name) ?? 0) + count);
  }

  /** Calls a function that returns nothing. */
  call(name: CallName, ...args: Argument[]): void {
    let call = this.#calls.get(name);
    if (call === undefined) {
      call = native(this.#entry(CALLS[name][0]), CALLS[name][1]);
      this.#calls.set(name, call);
    }
    this.#check(call(...args));
  }

  /** Calls a function like {@linkcode OrtApi.call}, off the event loop. */
  async callAsync(name: CallName, ...args: Argument[]): Promise<void> {
    let call = this.#asyncCalls.get(name);
    if (call === undefined) {
      call = nativeAsync(this.#entry(CALLS[name][0]), CALLS[name][1]);
      this.#asyncCalls.set(name, call);
    }
    this.#check(await call(...args));
  }

  /** Calls a function whose last parameter receives a new object. */
  create(name: CallName, ...args: Argument[]): Pointer {
    const out = new BigUint64Array(1);
    this.call(name, ...args, out);
    return this.#made(name, out);
  }

  /** Calls a function like {@linkcode OrtApi.create}, off the event loop. */
  async createAsync(name: CallName, ...args: Argument[]): Promise<Pointer> {
    const out = new BigUint64Array(1);
    await this.callAsync(name, ...args, out);
    return this.#made(name, out);
  }

  /** Frees a native object. */
  release(name: ReleaseName, object: Pointer): void {
    let free = this.#releases.get(name);
    if (free === undefined) {
      free = release(this.#entry(RELEASES[name]));
      this.#releases.set(name, free);
    }
    free(object);
    this.adopt(name, -1);
  }

  #made(name: CallName, out: BigUint64Array): Pointer {
    const pointer = pointerIn(out);
    const freedBy = MADE[name];
    if (freedBy !== undefined) this.adopt(freedBy);
    return pointer;
  }

  #entry(index: number): Deno.PointerValue {
    return this.#table.getPointer(index * POINTER_BYTES);
  }

  #check(status: Deno.PointerValue): void {
    if (status === null) return;
    const text = this.#message(status);
    const message = text === null
      ? "unknown error"
      : Deno.UnsafePointerView.getCString(text);
    this.#freeStatus(status);
    throw new RuntimeError(`ONNX Runtime: ${message}`);
  }
}

/** Returns `text` as a C string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

function pointerIn(out: BigUint64Array): Pointer {
  const pointer = Deno.UnsafePointer.create(out[0]!);
  if (pointer === null) throw new RuntimeError("ONNX Runtime: null object");
  return pointer;
}

function address(pointer: Deno.PointerValue): Pointer {
  if (pointer === null) {
    throw new RuntimeError("Cannot use ONNX Runtime: a function is missing");
  }
  return pointer;
}

function native(
  pointer: Deno.PointerValue,
  parameters: readonly Deno.NativeType[],
): Native {
  const call = new Deno.UnsafeFnPointer(address(pointer) as never, {
    parameters,
    result: "pointer",
  });
  return (...args) => call.call(...args as never[]);
}

function nativeAsync(
  pointer: Deno.PointerValue,
  parameters: readonly Deno.NativeType[],
): NativeAsync {
  const call = new Deno.UnsafeFnPointer(address(pointer) as never, {
    parameters,
    result: "pointer",
    nonblocking: true,
  });
  return (...args) => call.call(...args as never[]);
}

function release(pointer: Deno.PointerValue): Native {
  const call = new Deno.UnsafeFnPointer(address(pointer) as never, {
    parameters: ["pointer"],
    result: "void",
  });
  return (object) => {
    call.call(object as Deno.PointerValue);
    return null;
  };
}
