import { match, ok, strictEqual } from "node:assert/strict";
import { createApp } from "../../../functions/app.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { appOptions } from "../../support/tiny_server.ts";

const app = createApp(fakeServices(runAtOnce), appOptions().options);

Deno.test("/docs loads files from this server only", async () => {
  const page = await app.request("/docs");
  strictEqual(page.status, 200);
  match(page.headers.get("content-security-policy")!, /default-src 'self'/);
  const html = await page.text();
  ok(!/https?:/.test(html), "another origin");
  ok(!/<style|<script(?![^>]*src)|\bon\w+=|style=/.test(html), "inline");
  const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)]
    .map(([, path]) => path!);
  ok(paths.includes("/docs/swagger-ui-bundle.js"));
  for (const path of paths) {
    const file = await app.request(path);
    strictEqual(file.status, 200, path);
    ok((await file.bytes()).length > 0);
  }
});

Deno.test("/docs shows this server's document and contacts no other host", async () => {
  const script = await (await app.request("/docs/start.js")).text();
  match(script, /url: "\/openapi\.json"/);
  match(script, /validatorUrl: null/);
  ok(!/https?:/.test(script));
});

Deno.test("/docs sends MCP both required types, and other routes the chosen one", async () => {
  interface Sent {
    readonly url: string;
    readonly headers: Record<string, string>;
  }
  let intercept = (sent: Sent) => sent;
  Object.assign(globalThis, {
    matchMedia: () => new EventTarget(),
    document: { documentElement: { classList: { toggle: () => {} } } },
    SwaggerUIBundle: (options: { requestInterceptor: typeof intercept }) => {
      intercept = options.requestInterceptor;
    },
  });
  const script = await (await app.request("/docs/start.js")).text();
  await import(`data:text/javascript,${encodeURIComponent(script)}`);
  const sent = (path: string) =>
    intercept({
      url: `http://127.0.0.1:8080${path}`,
      headers: { Accept: "text/event-stream" },
    }).headers["Accept"];
  strictEqual(sent("/mcp"), "application/json, text/event-stream");
  strictEqual(sent("/v1/generate"), "text/event-stream");
});
