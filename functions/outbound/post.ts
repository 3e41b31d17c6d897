/**
 * Telling servers that clients have named, by the rules of all such URLs.
 *
 * @module
 */

import type { Post } from "../jobs/deliveries.ts";
import { askOutside, type OutsideNetwork } from "./request.ts";

/** Posts to hosts of `network`; follows no redirect, and reads no answer. */
export function postOutside(network: OutsideNetwork): Post {
  return async (url, headers, text, signal) => {
    const body = new TextEncoder().encode(text);
    const asked = { method: "POST", headers, body } as const;
    using answer = await askOutside(network, new URL(url), asked, signal);
    return answer.status;
  };
}
