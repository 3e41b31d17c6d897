/**
 * Absolute URLs of this server, as its clients write them.
 *
 * @module
 */

import type { Context } from "hono";
import { forwarded } from "./client_address.ts";
import type { AppEnv } from "./context.ts";

/** Where clients find this server. */
export interface PublicPlace {
  /** Set from outside, maybe with a path; undefined for as it was asked. */
  readonly publicUrl: string | undefined;
  /** How many proxies stand in front and are believed. */
  readonly trustedProxies: number;
}

/**
 * The URL of `path` for whoever asked.
 *
 * @param path From the root, with its slash.
 */
export function publicUrl(c: Context<AppEnv>, path: string): string {
  return `${c.var.publicBase}${path}`;
}

/** Scheme, host and maybe a path; no slash at the end. */
export function publicBase(request: Request, place: PublicPlace): string {
  if (place.publicUrl !== undefined) return place.publicUrl;
  const asked = new URL(request.url);
  const { scheme, host } = forwarded(request.headers, place.trustedProxies);
  const protocol = scheme === undefined ? asked.protocol : `${scheme}:`;
  return `${protocol}//${host ?? asked.host}`;
}
