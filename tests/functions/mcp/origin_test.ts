import { doesNotThrow, throws } from "node:assert/strict";
import { checkOrigin } from "../../../functions/mcp/origin.ts";
import { ForbiddenOriginError } from "../../../functions/refusals.ts";

function check(url: string, origin: string | undefined, allowed: string[]) {
  const headers = origin === undefined ? {} : { origin };
  checkOrigin(new Request(url, { headers }), allowed);
}

Deno.test("checkOrigin() lets programs, loopback, this address and named origins in", () => {
  const fine: [string, string | undefined, string[]][] = [
    ["http://127.0.0.1:8080/mcp", undefined, []],
    ["http://127.0.0.1:8080/mcp", "http://localhost:6274", []],
    ["http://127.0.0.1:8080/mcp", "http://app.localhost", []],
    ["http://127.0.0.1:8080/mcp", "http://[::1]:3000", []],
    ["http://10.0.0.7:8080/mcp", "http://10.0.0.7:8080", []],
    ["http://[fd00::7]:8080/mcp", "http://[fd00::7]:8080", []],
    ["http://a.example/mcp", "https://b.example", ["https://b.example"]],
    ["http://a.example/mcp", "null", ["*"]],
  ];
  for (const [url, origin, allowed] of fine) {
    doesNotThrow(() => check(url, origin, allowed), `${origin}`);
  }
});

Deno.test("checkOrigin() keeps strangers out, also those whose name points here", () => {
  const strange: [string, string, string[]][] = [
    ["http://127.0.0.1:8080/mcp", "https://evil.example", []],
    ["http://evil.example:8080/mcp", "http://evil.example:8080", []],
    ["http://10.0.0.7:8080/mcp", "http://10.0.0.8:8080", []],
    ["http://127.0.0.1:8080/mcp", "http://localhost.evil.example", []],
    ["http://127.0.0.1:8080/mcp", "http://127.0.0.1.evil.example", []],
    ["http://127.0.0.1:8080/mcp", "null", []],
    ["http://a.example/mcp", "http://b.example", ["https://b.example"]],
  ];
  for (const [url, origin, allowed] of strange) {
    throws(() => check(url, origin, allowed), ForbiddenOriginError, origin);
  }
});
