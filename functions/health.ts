/**
 * The health routes: liveness and readiness of the server.
 *
 * @module
 */

import { Hono } from "hono";
import type { AppEnv } from "./http/context.ts";
import type { Drain } from "./middleware/drain.ts";
import {
  healthDescription,
  liveDescription,
  pingDescription,
  readyDescription,
} from "./openapi/description/health.ts";
import { modelFields } from "./models.ts";
import type { Listing } from "./models/ports.ts";
import { VERSION } from "../lib/version.ts";

/** Retry-After seconds for a balancer if models have failed. */
const FAILED_SECONDS = 2;

/** Returns the routes, ready to mount. */
export function health(
  listing: Listing,
  drain: Drain,
  store?: StoreState,
): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/livez", liveDescription, (c) => c.json({ status: "alive" }))
    .get("/readyz", readyDescription, (c) => {
      const status = overall(listing, drain);
      const body = { status, ...storeFields(store) };
      return status === "ready"
        ? c.json(body)
        : c.json(body, 503, retryAfter(listing));
    })
    // RunPod's load balancer: 204 while loading, 200 when ready; any other
    // status removes the worker, as intended while draining.
    .get("/ping", pingDescription, (c) => {
      const status = overall(listing, drain);
      if (status === "ready") return c.json({ status });
      return status === "loading" ? c.body(null, 204) : c.json({ status }, 503);
    })
    .get("/health", healthDescription, (c) => {
      const status = overall(listing, drain);
      const models = listing.models()
        .map((model) => modelFields(model, listing));
      const body = {
        status,
        ...storeFields(store),
        version: VERSION,
        models,
      };
      return status === "ready"
        ? c.json(body)
        : c.json(body, 503, retryAfter(listing));
    });
}

/** The state of the store of jobs and first answers. */
export interface StoreState {
  /** True if the last write succeeded. */
  readonly writable: boolean;
}

/**
 * Returns the store's fields. A full store does not make the server unready:
 * most requests need none, and a caller that fills it must not make the server
 * unavailable.
 */
function storeFields(store: StoreState | undefined): { store?: "full" } {
  return store?.writable === false ? { store: "full" } : {};
}

/** Returns true if all models that are needed are loaded. */
export function isReady(listing: Listing, drain: Drain): boolean {
  return overall(listing, drain) === "ready";
}

/** Returns the status of the server; unloaded models do not count. */
function overall(
  listing: Listing,
  { draining }: Drain,
): "ready" | "loading" | "failed" | "draining" {
  if (draining) return "draining";
  const states = listing.models().map(({ state }) => state.state);
  if (states.includes("failed")) return "failed";
  return states.includes("loading") ? "loading" : "ready";
}

/** Returns the estimated seconds until the last model is ready. */
function retryAfter(listing: Listing): { "retry-after": string } {
  const waits = listing.models().map(({ state }) =>
    state.state === "loading" ? state.retryAfterSeconds : FAILED_SECONDS
  );
  return { "retry-after": `${Math.max(FAILED_SECONDS, ...waits)}` };
}
