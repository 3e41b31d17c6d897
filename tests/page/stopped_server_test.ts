/** The recovery of a drawing from a server that is stopped or killed. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { startServer } from "../support/server.ts";
import { pageTest } from "./browser.ts";
import { REFUSED, visit } from "./visit.ts";

const SEED = 21;

/** Link to a picture that takes a while: 32 rows of 32 codes. */
const LINK = `#draw?prompt=three+apples&height=256&width=256&seed=${SEED}`;

const AWAY = new RegExp(`${REFUSED.source}|net::ERR`);

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  pageTest(
    `Server resumes the drawing of a server that ended by ${signal}`,
    async () => {
      await using server = await startServer({ SHUTDOWN_GRACE_S: "0" });
      await using opened = await visit(server.url, { allowed: AWAY });
      const { page, asked } = opened;
      await page.getByText("Ready: emu3-mini").waitFor();
      await page.goto(`${server.url}/${LINK}`);
      await page.getByText(/^Row ([4-9]|1\d|2[0-4]) of 32/).waitFor();
      server.process.kill(signal);
      await server.process.status;
      await page.getByText(/It continues automatically|Retry in \d+ s/).first()
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
