/**
 * The one door to ONNX Runtime.
 *
 * A {@linkcode Runtime} is the environment: one pool of threads that all its
 * sessions share, so that a vision decoder and a language model running at once
 * do not fight over cores. From it come {@linkcode Session}s and tensors.
 *
 * @module
 */

import type { Dtype } from "../../models/graph/dtype.ts";
import { cString, OrtApi, type Pointer } from "./api.ts";
import { DeviceMemory } from "./memory/device_memory.ts";
import { type AllocatedBytes, nativeMemory } from "./memory/native_memory.ts";
import { RuntimeError } from "../errors.ts";
import { CPU_PROVIDER, type Provider } from "./provider.ts";
import { type Binding, Session, type SessionOptions } from "./session.ts";
import { SharedWeights } from "./shared_weights.ts";
import { forbidTelemetry } from "./telemetry.ts";
import { Tensor, type TensorData } from "./tensor.ts";

/** How to open a runtime. */
export interface RuntimeOptions {
  /** Threads that compute, 1 or more. */
  readonly threads: number;
  /** Where graphs run; the CPU unless told. */
  readonly provider?: Provider;
  /** File of the library; that of the npm package unless told. */
  readonly library?: string | undefined;
  /** Bytes of the device's memory that may be used, where that is known. */
  readonly deviceMemoryBytes?: number | undefined;
}

/** `ORT_LOGGING_LEVEL_FATAL`: what matters comes back as a status. */
const LOG_LEVEL = 4;

/** `OrtDeviceAllocator` and `OrtMemTypeDefault`. */
const DEVICE_ALLOCATOR = 0;
const DEFAULT_MEMORY = 0;

/** What ONNX Runtime says while another thread still closes its environment. */
const STILL_CLOSING = "Only one instance of LoggingManager";

/** How long to wait for that, in steps of so many milliseconds. */
const CLOSING_ATTEMPTS = 400;
const CLOSING_PAUSE_MS = 5;

/** An environment of ONNX Runtime. */
export class Runtime implements AsyncDisposable {
  readonly #api: OrtApi;
  readonly #environment: Pointer;
  readonly #hostMemory: Pointer;
  readonly #sessions = new Set<Session>();
  #closed = false;
  /** Where graphs run. */
  readonly provider: Provider;
  /** Memory there; undefined where it is the host's. */
  readonly device: DeviceMemory | undefined;
  /** Bytes of it that may be used; undefined where nobody knows. */
  readonly deviceMemoryBytes: number | undefined;
  /** Threads that compute. */
  readonly threads: number;
  /** ONNX Runtime's version. */
  readonly version: string;

  /**
   * Opens the library.
   *
   * @param opened An environment that is already open, to be closed with it.
   * @throws {RuntimeError} When the library cannot be opened.
   */
  constructor(options: RuntimeOptions, opened = openHere(options)) {
    this.provider = options.provider ?? CPU_PROVIDER;
    this.threads = options.threads;
    this.#api = opened.api;
    this.version = this.#api.version;
    this.#environment = opened.environment;
    this.#api.call("DisableTelemetryEvents", this.#environment);
    this.#hostMemory = this.#api.create(
      "CreateMemoryInfo",
      cString("Cpu"),
      DEVICE_ALLOCATOR,
      0,
      DEFAULT_MEMORY,
    );
    this.deviceMemoryBytes = options.deviceMemoryBytes;
    const { deviceMemory } = this.provider;
    this.device = deviceMemory === undefined
      ? undefined
      : new DeviceMemory(this, this.#api, deviceMemory);
  }

  /**
   * Opens the library, mostly off the event loop.
   *
   * @throws {RuntimeError} When the library cannot be opened.
   */
  static async open(options: RuntimeOptions): Promise<Runtime> {
    const { api, threading } = prepare(options);
    for (let attempt = 1;; attempt++) {
      try {
        const environment = await api.createAsync(...environmentOf(threading));
        api.release("ReleaseThreadingOptions", threading);
        return new Runtime(options, { api, environment });
      } catch (error) {
        if (!mayRetry(error, attempt)) throw error;
        await new Promise((resolve) => setTimeout(resolve, CLOSING_PAUSE_MS));
      }
    }
  }

  /**
   * Native objects that are not freed, by kind, such as `Session` or `Value`;
   * kinds of which there are none are left out.
   */
  get alive(): Readonly<Record<string, number>> {
    const entries = [...this.#api.alive].filter(([, count]) => count !== 0)
      .map(([name, count]) => [name.slice("Release".length), count]);
    return Object.fromEntries(entries);
  }

  /**
   * A session for a graph.
   *
   * @param model An encoded `ModelProto`. Weights may lie in files beneath
   * `options.weightFolder`.
   * @throws {RuntimeError} When ONNX Runtime refuses the graph or its weights.
   */
  async session(
    model: Uint8Array<ArrayBuffer>,
    options: SessionOptions,
  ): Promise<Session> {
    const session = await Session.open(
      this.#api,
      this.#environment,
      model,
      { ...options, provider: options.onHost ? CPU_PROVIDER : this.provider },
      () => this.#sessions.delete(session),
    );
    this.#sessions.add(session);
    return session;
  }

  /** A tensor over `data`, shared with ONNX Runtime. */
  tensor(
    data: TensorData,
    shape: readonly number[],
    dtype?: Dtype,
  ): Tensor {
    return Tensor.over(this.#api, this.#hostMemory, data, shape, dtype);
  }

  /**
   * Weights for several sessions to share; undefined where the system cannot map
   * files. Dispose of it after the sessions.
   *
   * @param root Folder that the locations of weights are relative to.
   */
  sharedWeights(root: string): SharedWeights | undefined {
    if (nativeMemory === undefined) return undefined;
    return new SharedWeights(
      this,
      this.#api,
      this.#hostMemory,
      nativeMemory,
      root,
    );
  }

  /**
   * `byteLength` zero bytes for state that outlives runs. Memory is taken as it
   * is written, where the system can do that.
   */
  allocate(byteLength: number): AllocatedBytes {
    return nativeMemory?.allocate(byteLength) ?? {
      buffer: new ArrayBuffer(byteLength),
      giveBack: () => {},
      [Symbol.dispose]: () => {},
    };
  }

  /** Binds `name` to memory that ONNX Runtime takes as the run asks. */
  bindUnknown(binding: Binding, name: string): void {
    binding.outputTo(name, this.#hostMemory);
  }

  /** Closes every session, then the environment. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.device?.[Symbol.asyncDispose]();
    for (const session of [...this.#sessions]) {
      await session[Symbol.asyncDispose]();
    }
    this.#api.release("ReleaseMemoryInfo", this.#hostMemory);
    this.#api.release("ReleaseEnv", this.#environment);
  }
}

/** An environment, and through what it is called. */
interface Opened {
  readonly api: OrtApi;
  readonly environment: Pointer;
}

/** Before an environment can be opened. */
function prepare(
  { threads, library }: RuntimeOptions,
): { readonly api: OrtApi; readonly threading: Pointer } {
  const api = new OrtApi(library);
  const threading = api.create("CreateThreadingOptions");
  api.call("SetGlobalIntraOpNumThreads", threading, threads);
  forbidTelemetry();
  return { api, threading };
}

function environmentOf(threading: Pointer) {
  return [
    "CreateEnvWithGlobalThreadPools",
    LOG_LEVEL,
    cString("emu3"),
    threading,
  ] as const;
}

function openHere(options: RuntimeOptions): Opened {
  const { api, threading } = prepare(options);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 1;; attempt++) {
    try {
      const environment = api.create(...environmentOf(threading));
      api.release("ReleaseThreadingOptions", threading);
      return { api, environment };
    } catch (error) {
      if (!mayRetry(error, attempt)) throw error;
      Atomics.wait(pause, 0, 0, CLOSING_PAUSE_MS);
    }
  }
}

/**
 * The process's environment is shared with whoever has it open. The last one to
 * let go destroys it outside of ONNX Runtime's own lock, so that a thread that
 * opens it at that moment is refused and has to ask again
 * (`OrtEnv::Release`, onnxruntime/core/session/ort_env.cc).
 */
function mayRetry(error: unknown, attempt: number): boolean {
  return error instanceof RuntimeError &&
    error.message.includes(STILL_CLOSING) && attempt < CLOSING_ATTEMPTS;
}
