/**
 * The public addresses: those outside the private network of this server.
 *
 * @module
 */

import ipaddr from "ipaddr.js";

/**
 * The addresses that look public but are internal: Azure's platform, which
 * serves secrets to its virtual machines.
 */
const INNER: ReadonlySet<string> = new Set(["168.63.129.16"]);

/** The allocated range of IPv6; addresses that wrap IPv4 are outside of it. */
const GLOBAL_V6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/**
 * Returns true if `address` is public: not private, loopback, link-local,
 * shared by a carrier, multicast or reserved, nor an IPv4 address inside IPv6
 * (mapped, NAT64, 6to4, Teredo).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // A mapped address counts as its IPv4 address.
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast") return false;
  return parsed instanceof ipaddr.IPv6
    ? parsed.match(GLOBAL_V6)
    : !INNER.has(parsed.toString());
}
