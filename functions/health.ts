/**
 * Whether the server lives, and whether it can be used.
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
import { VERSION } from "./http/version.ts";

/** How long a balancer is told to wait for models that have failed. */
const FAILED_SECONDS = 2;

/** The routes, ready to mount. */
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
    // RunPod's load balancer: 204 while loading, 200 when ready; anything else
    // takes the worker out, and so does one that is to stop.
    .get("/ping", pingDescription, (c) => {
      const status = overall(listing, drain);
      if (status === "ready") return c.json({ status });
      return status === "loading" ? c.body(null, 204) : c.json({ status }, 503);
    })
    .get("/health", healthDescription, (c) => {
      const status = overall(listing, drain);
      const models = listing.models()
        .map((model) => modelFields(model, listing.limits));
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

/** The store of jobs and first answers. */
export interface StoreState {
  /** True if it could take the last write. */
  readonly writable: boolean;
}

/**
 * A full store is told and no reason to send requests elsewhere: most need
 * none, and who fills it must not take the server out.
 */
function storeFields(store: StoreState | undefined): { store?: "full" } {
  return store?.writable === false ? { store: "full" } : {};
}

/** Whether everything that is needed is loaded. */
export function isReady(listing: Listing, drain: Drain): boolean {
  return overall(listing, drain) === "ready";
}

/** A model that nobody needs yet keeps nobody waiting. */
function overall(
  listing: Listing,
  { draining }: Drain,
): "ready" | "loading" | "failed" | "draining" {
  if (draining) return "draining";
  const states = listing.models().map(({ state }) => state.state);
  if (states.includes("failed")) return "failed";
  return states.includes("loading") ? "loading" : "ready";
}

/** When the last of the models that load is likely to be ready. */
function retryAfter(listing: Listing): { "retry-after": string } {
  const waits = listing.models().map(({ state }) =>
    state.state === "loading" ? state.retryAfterSeconds : FAILED_SECONDS
  );
  return { "retry-after": `${Math.max(FAILED_SECONDS, ...waits)}` };
}
