/**
 * The environment variables for callers: accepted hosts, trusted proxies and
 * allowed origins.
 *
 * @module
 */

import { allowedHosts } from "../middleware/allowed_hosts.ts";
import { proxyCount, proxyHeader } from "../http/address/client_address.ts";
import type { Variable } from "./variable_parsers.ts";

/** The variables, in the order that `--help` lists them. */
export const CALLER_VARIABLES = {
  PUBLIC_URL: {
    meaning: "where clients find this server, for URLs in answers",
    unset: "as the request was asked",
    parse: publicUrl,
  },
  TRUST_PROXY: {
    meaning: "proxies in front whose TRUST_PROXY_HEADER is believed",
    unset: "0",
    parse: proxyCount,
  },
  TRUST_PROXY_HEADER: {
    meaning:
      "the one header that they write: x-forwarded-for (with -proto and -host), forwarded, or one with the client's address, such as fly-client-ip",
    unset: "x-forwarded-for",
    parse: proxyHeader,
  },
  ALLOWED_HOSTS: {
    meaning:
      "hosts that requests may name while no keys are set, with commas; .example.org for all below it, * for any",
    unset:
      "loopback, the address of HOST (any address where that is 0.0.0.0 or ::) and PUBLIC_URL's host",
    parse: allowedHosts,
  },
  CORS_ORIGINS: {
    meaning: "origins whose pages may call, with commas, or *",
    unset: "the same origin",
    parse: origins,
  },
} as const satisfies Record<string, Variable<unknown>>;

/** Origins of extensions and desktop programs, which URLs do not parse. */
const OF_PROGRAM = /^(?!https?:|file:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+$/;

/**
 * Parses the URL of a server, without the slash at its end.
 *
 * @throws {SyntaxError} If the text has another form.
 */
export function publicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (
    url !== null && /^https?:$/.test(url.protocol) &&
    url.username + url.password + url.search + url.hash === ""
  ) return url.href.replace(/\/+$/, "");
  throw new SyntaxError('expected a URL such as "https://example.org/emu3"');
}

function origins(text: string | undefined): readonly string[] {
  const list = (text ?? "").split(",").map((origin) => origin.trim())
    .filter((origin) => origin !== "");
  const bad = list.find((origin) =>
    origin !== "*" && URL.parse(origin)?.origin !== origin &&
    !OF_PROGRAM.test(origin)
  );
  if (bad === undefined) return list;
  throw new SyntaxError('expected origins such as "https://example.org", or *');
}
