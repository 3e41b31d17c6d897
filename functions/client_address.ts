/**
 * Where a request comes from, and under which address it was asked.
 *
 * Headers of proxies are believed as far as there are proxies: each adds an
 * entry at the end, so that of `n` trusted ones the n-th from the end was
 * written by the outermost. What stands before it anybody may have written.
 *
 * @module
 */

import type { Context } from "hono";
import type { AppEnv } from "./context.ts";

/** What the outermost trusted proxy saw. */
export interface Forwarded {
  /** Address of the client, without port. */
  readonly client: string | undefined;
  /** `http` or `https`. */
  readonly scheme: string | undefined;
  /** Name and maybe port that the client asked for. */
  readonly host: string | undefined;
}

const NOTHING: Forwarded = {
  client: undefined,
  scheme: undefined,
  host: undefined,
};

/** What `Forwarded` (RFC 7239), else `X-Forwarded-*` say. */
export function forwarded(headers: Headers, proxies: number): Forwarded {
  if (proxies === 0) return NOTHING;
  const standard = headers.get("forwarded");
  const said = standard === null
    ? {
      client: entry(headers.get("x-forwarded-for"), proxies),
      scheme: passedOn(headers.get("x-forwarded-proto"), proxies),
      host: passedOn(headers.get("x-forwarded-host"), proxies),
    }
    : standardEntry(entry(standard, proxies) ?? "");
  return {
    client: said.client && addressOf(said.client),
    scheme: /^https?$/i.test(said.scheme ?? "")
      ? said.scheme!.toLowerCase()
      : undefined,
    host: isHost(said.host) ? said.host : undefined,
  };
}

/** Address of whoever called; undefined where there is no socket. */
export function clientAddress(
  c: Context<AppEnv>,
  proxies: number,
): string | undefined {
  // Not Hono's `getConnInfo()`, which throws where there is no socket.
  const peer: string | undefined = c.env?.remoteAddr?.hostname;
  return forwarded(c.req.raw.headers, proxies).client ?? peer;
}

/** The n-th from the end. */
function entry(list: string | null, fromEnd: number): string | undefined {
  return entriesOf(list).at(-fromEnd);
}

/** The same, where inner proxies may pass on what the outermost has set. */
function passedOn(list: string | null, fromEnd: number): string | undefined {
  return entry(list, fromEnd) ?? entriesOf(list)[0];
}

function entriesOf(list: string | null): string[] {
  return (list ?? "").split(",").map((part) => part.trim())
    .filter((part) => part !== "");
}

function standardEntry(text: string): Forwarded {
  const pairs = new Map(
    text.split(";").map((pair) => {
      const [name = "", value = ""] = pair.trim().split(/=(.*)/s);
      return [name.toLowerCase(), value.replace(/^"(.*)"$/, "$1")];
    }),
  );
  return {
    client: pairs.get("for"),
    scheme: pairs.get("proto"),
    host: pairs.get("host"),
  };
}

/** `192.0.2.1:80` and `[2001:db8::1]:80` without what is not address. */
function addressOf(text: string): string | undefined {
  const address = /^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(text)?.[1] ??
    /^([\d.]+)(?::\d+)?$/.exec(text)?.[1] ?? text;
  return /^[0-9a-f:.]{2,45}$/i.test(address) ? address : undefined;
}

function isHost(text: string | undefined): boolean {
  return text !== undefined &&
    /^([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?$/i.test(text);
}
