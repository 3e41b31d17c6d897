/**
 * The route `GET /metrics`: the server's metrics in Prometheus format.
 *
 * Labels have few values: route patterns, known methods, served models; never
 * text of a client.
 *
 * @module
 */

import { prometheus } from "@hono/prometheus";
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { AppEnv } from "../http/context.ts";
import { Drain } from "../middleware/drain.ts";
import { engineMetrics } from "./engine_metrics.ts";
import type { StoreState } from "../health.ts";
import type { Listing } from "../models/ports.ts";
import { pictureMetrics } from "./picture_metrics.ts";
import { processMetrics } from "./process_metrics.ts";
import { startMetrics } from "./start_metrics.ts";
import type { Timings } from "../http/server_timing.ts";
import { VERSION } from "../../lib/version.ts";

/**
 * The buckets in seconds: from a cached answer to a large picture on a small
 * machine.
 */
const BUCKETS = [0.005, 0.02, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000];

const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
]);

/** The metrics of a server. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #phases: Histogram<"phase">;
  readonly #tokens: Counter;
  /**
   * Middleware that counts requests and the time to their answer or first
   * event.
   */
  readonly count: MiddlewareHandler<AppEnv>;

  /** Creates metrics that start at zero. */
  constructor(listing: Listing, drain: Drain = new Drain()) {
    const registers = [this.#registry];
    this.count = prometheus({
      registry: this.#registry,
      metricOptions: {
        requestsTotal: { customLabels: LABELS },
        requestDuration: DURATION,
      },
    }).registerMetrics;
    this.#phases = new Histogram({
      name: "emu3_phase_seconds",
      help: "Duration of the phases of completed requests",
      labelNames: ["phase"],
      buckets: BUCKETS,
      registers,
    });
    this.#tokens = new Counter({
      name: "emu3_tokens_total",
      help: "Tokens and codes of completed requests",
      registers,
    });
    new Gauge({
      name: "emu3_info",
      help: "Version of the server",
      labelNames: ["version"],
      registers,
    }).set({ version: VERSION }, 1);
    new Gauge({
      name: "emu3_draining",
      help: "1 during the shutdown, else 0",
      registers,
      collect() {
        this.set(drain.draining ? 1 : 0);
      },
    });
    engineMetrics(this.#registry, listing);
    pictureMetrics(this.#registry, listing);
    startMetrics(this.#registry, listing);
  }

  /** Registers the metric that reports whether a store is writable. */
  watchStore(store: StoreState): void {
    const name = "emu3_store_writable";
    this.#registry.removeSingleMetric(name);
    new Gauge({
      name,
      help: "0 while the store is full, else 1",
      registers: [this.#registry],
      collect() {
        this.set(store.writable ? 1 : 0);
      },
    });
  }

  /** Counts the tokens or codes of an answer. */
  addTokens(count: number): void {
    this.#tokens.inc(count);
  }

  /** Observes the durations of a request's phases. */
  addPhases(timings: Partial<Timings>): void {
    for (const [name, seconds] of Object.entries(timings)) {
      this.#phases.observe({ phase: name.replace(/_s$/, "") }, seconds);
    }
  }

  /** Answers with all metrics. */
  readonly show = async (c: Context<AppEnv>): Promise<Response> => {
    const all = Registry.merge([this.#registry, processMetrics()]);
    const headers = {
      "content-type": all.contentType,
      "cache-control": "no-store",
    };
    return c.body(await all.metrics(), 200, headers);
  };
}

/** The labels that replace the package's own. */
const LABELS = {
  method: ({ req }: Context) => METHODS.has(req.method) ? req.method : "other",
  route: (c: Context) => routePath(c),
};

/** The options of the duration histogram; the package's type omits buckets. */
const DURATION = { customLabels: LABELS, buckets: BUCKETS };
