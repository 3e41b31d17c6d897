/**
 * The poster of webhooks to servers that clients name, by the rules of all such
 * URLs.
 *
 * @module
 */

import type { Post } from "../jobs/deliveries.ts";
import { askOutside, type OutsideNetwork } from "./request.ts";

/**
 * Returns a function that posts to hosts of `network`; it follows no redirect,
 * and reads no answer.
 */
export function postOutside(network: OutsideNetwork): Post {
  return async (url, headers, text, signal) => {
    const body = new TextEncoder().encode(text);
    const asked = { method: "POST", headers, body } as const;
    using answer = await askOutside(network, new URL(url), asked, signal);
    return answer.status;
  };
}
