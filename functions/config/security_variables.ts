/**
 * The environment variables of security: API keys, accepted hosts, trusted
 * proxies and allowed origins.
 *
 * @module
 */

import { proxyCount, proxyHeader } from "../http/address/client_address.ts";
import { allowedHosts } from "../middleware/allowed_hosts.ts";
import { apiKeys } from "../middleware/api_keys.ts";
import { flag, type Variable } from "./variable_parsers.ts";

/** The variables, in the order that `--help` lists them. */
export const SECURITY_VARIABLES = {
  API_KEYS: {
    meaning:
      "accepted API keys, separated by commas, in plain text or as sha256:<hex>",
    fallback: "none, anyone who can reach the port may call",
    parse: apiKeys,
  },
  ALLOWED_HOSTS: {
    meaning:
      "accepted values of the Host header if no API keys are set, separated by commas; .example.org for all subdomains, * for any",
    fallback:
      "loopback, the address in HOST (any address if that is 0.0.0.0 or ::) and the host of PUBLIC_URL",
    parse: allowedHosts,
  },
  CORS_ORIGINS: {
    meaning:
      "origins whose pages may call this server, separated by commas, or * for any",
    fallback: "none, pages of the same origin only",
    parse: origins,
  },
  TRUST_PROXY: {
    meaning:
      "number of reverse proxies in front whose TRUST_PROXY_HEADER is trusted",
    fallback: "0",
    parse: proxyCount,
  },
  TRUST_PROXY_HEADER: {
    meaning:
      "header with the client's address, set by the proxies: x-forwarded-for (with -proto and -host), forwarded, or one such as fly-client-ip",
    fallback: "x-forwarded-for",
    parse: proxyHeader,
  },
  ALLOW_URL_INPUTS: {
    meaning:
      "1 to allow requests to https URLs that clients name, for image inputs and webhooks",
    fallback: "0, URLs are refused",
    parse: flag,
  },
} as const satisfies Record<string, Variable<unknown>>;

/** Pattern of the origins of extensions and desktop programs. */
const PROGRAM_ORIGIN = /^(?!https?:|file:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+$/;

function origins(text: string | undefined): readonly string[] {
  const list = (text ?? "").split(",").map((origin) => origin.trim())
    .filter((origin) => origin !== "");
  const bad = list.find((origin) =>
    origin !== "*" && URL.parse(origin)?.origin !== origin &&
    !PROGRAM_ORIGIN.test(origin)
  );
  if (bad === undefined) return list;
  throw new SyntaxError(
    `"${bad}" is not an origin; expected "https://example.org" or *`,
  );
}
