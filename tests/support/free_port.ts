/**
 * Returns a port of loopback that nothing listens on, for programs that must be
 * given one.
 */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
