/**
 * The options of the services: models, functions, precision and memory.
 *
 * @module
 */

import type { CacheDtype } from "../../lib/runtime/provider.ts";
import type { StrategyName } from "../../lib/drawing/strategy.ts";
import type { DeviceOptions } from "./device.ts";
import type { FunctionName } from "../schema/common.ts";
import type { Sources } from "./model_plan.ts";
import type { ModelAliases } from "./model_aliases.ts";
import type { AdapterSources } from "./planned_adapters.ts";
import type { Obtain } from "./pending_download.ts";
import type { OutboundNetwork } from "../outbound/request.ts";
import type { Phase } from "./load_phases.ts";
import type { Limits } from "./ports.ts";

/** Options of the services. */
export interface ServiceOptions extends DeviceOptions {
  /** Sources of checkpoints, passed to {@linkcode ServiceOptions.obtain}. */
  readonly folders: Sources;
  /** Downloads a source to this machine. */
  readonly obtain: Obtain;
  /** Called with phases of the start; for all models if `model` is "". */
  readonly onPhase?: (model: string, phase: Phase) => void;
  /** Functions that are served. */
  readonly functions: ReadonlySet<FunctionName>;
  /** Sequences that each language model decodes together. */
  readonly slots: number;
  /** Folder for copies of models; undefined if none can be kept. */
  readonly copyFolder: string | undefined;
  /** Name or path of ffmpeg, which reads and writes videos; undefined for none. */
  readonly ffmpeg?: string;
  /** Limit of the requests that wait for each language model. */
  readonly queueLimit: number;
  /** Aliases of models; undefined for none. */
  readonly aliases?: ModelAliases;
  /** Sources of adapters by name; undefined for none. */
  readonly adapters?: AdapterSources;
  /** Strategy that pictures are drawn with; undefined for the fastest. */
  readonly strategy: StrategyName | undefined;
  /** Bytes of memory that the process may use. */
  readonly memoryBytes: number;
  /** Bytes of the KV caches of all language models; undefined for a quarter. */
  readonly cacheBytes: number | undefined;
  /** Type of keys and values; undefined for a type that suits the memory. */
  readonly cacheDtype: CacheDtype | undefined;
  /** Network that pictures are fetched through; undefined to fetch none. */
  readonly pictureNetwork: OutboundNetwork | undefined;
  /** Most bytes of pixels that all requests hold; undefined for a default. */
  readonly pixelBytes: number | undefined;
  /** Threads that decode and encode pictures; 2 by default. */
  readonly codecThreads?: number | undefined;
  /** Limits that are the same for all requests. */
  readonly limits: Limits;
}
