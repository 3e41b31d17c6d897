/**
 * Which addresses anybody may reach, and are therefore no secret of the network
 * that this server stands in.
 *
 * @module
 */

import ipaddr from "ipaddr.js";

/**
 * Looks public, but answers from inside: Azure's platform, which hands out
 * secrets to whoever runs there.
 */
const INNER: ReadonlySet<string> = new Set(["168.63.129.16"]);

/** All of IPv6 that is given out; what wraps an IPv4 address lies elsewhere. */
const GLOBAL_V6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/**
 * Whether `address` is public: not private, loopback, link-local, shared by a
 * carrier, multicast or reserved, nor an IPv4 address in IPv6 clothes (mapped,
 * NAT64, 6to4, Teredo).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // A mapped address is the one that it maps.
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast") return false;
  return parsed instanceof ipaddr.IPv6
    ? parsed.match(GLOBAL_V6)
    : !INNER.has(parsed.toString());
}
