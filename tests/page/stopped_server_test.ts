/** A server that is stopped, or killed, while it draws for the page. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { json } from "../support/tiny_server.ts";
import { startServer } from "../support/server.ts";
import { pageTest } from "./browser.ts";
import { REFUSED, visit } from "./visit.ts";

const SEED = 21;

/** So many others draw too: without them a picture is there at once. */
const OTHERS = 6;

const AWAY = new RegExp(`${REFUSED.source}|net::ERR`);

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  pageTest(
    `what a server drew before ${signal} is gone on with by the next`,
    async () => {
      await using server = await startServer({ SHUTDOWN_GRACE_S: "0" });
      await using opened = await visit(server.url, { allowed: AWAY });
      const { page, asked } = opened;
      await page.getByText("Ready: emu3-mini").waitFor();
      await page.getByLabel("What to draw").fill("three apples");
      await page.getByLabel("Seed", { exact: true }).fill(String(SEED));
      const others = Array.from({ length: OTHERS }, (_, seed) =>
        fetch(
          `${server.url}/v1/generate`,
          json({ prompt: "a fox", strategy: "autoregressive", n: 4, seed }),
        ).then((answer) => answer.body?.cancel(), () => undefined));
      await page.getByRole("button", { name: "Draw", exact: true }).click();
      await page.getByText(/^Row [4-9] of 16/).waitFor();
      server.process.kill(signal);
      await Promise.all([server.process.status, ...others]);
      await page.getByText(/It goes on by itself|Again in \d+ s/).first()
        .waitFor();
      const { port } = new URL(server.url);
      await using _next = await startServer({ PORT: port });
      await page.getByText(new RegExp(`seed ${SEED} ·.* tokens in`)).waitFor();
      const drawn = asked.filter(({ path }) => path === "/v1/generate")
        .map(({ body }) => JSON.parse(body));
      deepStrictEqual(drawn.map(({ seed }) => seed), [SEED, SEED]);
      ok(drawn[1].prefix.codes.length >= 3);
    },
  );
}
