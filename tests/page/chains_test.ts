/** The Chains view, in a browser, over a scripted workflow engine. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { toJsonSchema } from "@valibot/to-json-schema";
import type { Page, Route } from "playwright-core";
import {
  type ChainInfo,
  CHAINS,
} from "../../deploy/workflows/schema/chains.ts";
import { bodySchema } from "../../functions/workflows/chain_input.ts";
import { startServer } from "../support/server.ts";
import { pageTest, WIDTHS } from "./browser.ts";
import { drawnFile } from "./files.ts";
import { REFUSED, visit } from "./visit.ts";

const server = await startServer();
globalThis.addEventListener("unload", () => server.process.kill("SIGTERM"));
const rocket = await drawnFile(server.url, "a rocket above a tree", 6);

const LIST = Object.entries<ChainInfo>(CHAINS).map(([chain, info]) => ({
  chain,
  description: info.description,
  input: toJsonSchema(bodySchema(info), { typeMode: "input" }),
}));

/** States of a workflow, one for each look; the last one stays. */
type Script = readonly Readonly<Record<string, unknown>>[];

const DRAWING = { name: "draw", status: "running" };
const DRAWN = { name: "draw", status: "succeeded", seconds: 2.5, grid: "draw" };
const OUTPUT = {
  picture: { seed: 7, grid: { height: 16, width: 16, codes: [] } },
  caption: "A rocket above a tree.",
  agreement: { named: ["rocket", "tree"], missing: [], logprob: -0.25 },
};
const IMAGINED: Script = [
  { status: "running", steps: [DRAWING] },
  {
    status: "running",
    steps: [DRAWN, { name: "caption", status: "waiting" }],
  },
  {
    status: "succeeded",
    steps: [DRAWN, {
      name: "caption",
      status: "succeeded",
      seconds: 0.4,
      text: OUTPUT.caption,
    }],
    output: OUTPUT,
  },
];

/** Routes the paths of workflows to a script; returns the started inputs. */
async function script(page: Page, states: Script): Promise<unknown[]> {
  const inputs: unknown[] = [];
  let looks = 0;
  let canceled = false;
  const answer = (chain: string) => {
    const state = states[Math.min(looks, states.length) - 1] ?? states[0];
    const ended = canceled && { status: "canceled" };
    return { id: "w1", object: "workflow", chain, ...state, ...ended };
  };
  await page.route(
    "**/v1/workflows",
    (route) => route.fulfill({ json: { object: "list", data: LIST } }),
  );
  await page.route("**/v1/workflows/*", (route) => {
    inputs.push(route.request().postDataJSON());
    const [chain] = new URL(route.request().url()).pathname.split("/").slice(
      -1,
    );
    return route.fulfill({ status: 202, json: answer(chain!) });
  });
  await page.route("**/v1/workflows/*/*", async (route: Route) => {
    const url = new URL(route.request().url());
    if (url.searchParams.has("grid")) {
      return await route.fulfill({
        contentType: "image/png",
        body: Buffer.from(rocket.buffer),
      });
    }
    if (route.request().method() === "DELETE") canceled = true;
    else looks++;
    await route.fulfill({ json: answer(url.pathname.split("/").at(-2)!) });
  });
  await page.reload();
  await page.getByLabel("Chain", { exact: true }).waitFor();
  return inputs;
}

for (const width of WIDTHS) {
  pageTest(
    `Chains view at ${width}: starts a chain, and shows its steps and pictures`,
    async () => {
      await using seen = await visit(`${server.url}/#chains`, { width });
      const { page } = seen;
      const inputs = await script(page, IMAGINED);
      await page.getByLabel("Prompt", { exact: true }).fill("a rocket");
      await page.getByRole("button", { name: "Start", exact: true }).click();
      await page.getByText("imagine · succeeded").waitFor();
      deepStrictEqual(inputs, [{ prompt: "a rocket" }]);
      await page.getByRole("img", { name: "Picture of the step draw" })
        .waitFor();
      await page.getByText("rocket, tree").waitFor();
      await page.getByText("done in 2.5 s").waitFor();
      await seen.check("chains-succeeded");
      const coming = page.waitForEvent("download");
      await page.getByRole("button", { name: "Save result" }).click();
      const saved = await Deno.readTextFile(await (await coming).path());
      deepStrictEqual(JSON.parse(saved), OUTPUT);
    },
  );
}

pageTest(
  "Chains view: a run is found again after a reload, and removed on demand",
  async () => {
    await using seen = await visit(`${server.url}/#chains`);
    const { page } = seen;
    await script(page, IMAGINED);
    await page.getByLabel("Prompt", { exact: true }).fill("a rocket");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("imagine · succeeded").waitFor();
    await page.reload();
    await page.getByRole("button", { name: "imagine: a rocket", exact: true })
      .click();
    await page.getByText("imagine · succeeded").waitFor();
    await page.getByRole("button", { name: "Remove imagine: a rocket" })
      .click();
    await page.getByText("No runs yet.").waitFor();
  },
);

pageTest("Chains view: a running chain is canceled", async () => {
  await using seen = await visit(`${server.url}/#chains`);
  const { page } = seen;
  await script(page, [{
    status: "running",
    steps: [DRAWING],
    progress: { done: 2, failed: 1, total: 9 },
  }]);
  await page.getByLabel("Chain", { exact: true }).selectOption("album");
  await page.getByLabel("Prompts").fill("a cat\ntwo cats");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByText("2 of 9, 1 failed").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("album · canceled").waitFor();
});

pageTest(
  "Chains view: remix sends the chosen picture, and refine its questions",
  async () => {
    await using seen = await visit(`${server.url}/#chains`);
    const { page } = seen;
    const inputs = await script(page, IMAGINED);
    const chains = page.getByLabel("Chain", { exact: true });
    await chains.selectOption("remix");
    await page.locator(".view-chains input[type=file]").first().setInputFiles({
      name: rocket.name,
      mimeType: "image/png",
      buffer: Buffer.from(rocket.buffer),
    });
    await page.getByRole("img", { name: "The chosen picture" }).waitFor();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("remix · ").first().waitFor();
    const { image } = inputs[0] as { readonly image: string };
    ok(image.startsWith("data:image/png;base64,"));
    await chains.selectOption("refine");
    await page.getByLabel("Prompt", { exact: true }).fill("a rocket");
    await page.getByLabel("Questions").fill("What is it? = rocket");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("refine · ").first().waitFor();
    deepStrictEqual(inputs[1], {
      prompt: "a rocket",
      questions: [{ question: "What is it?", expect: ["rocket"] }],
    });
  },
);

pageTest(
  "Chains view: the errors of fields and of a chain are shown",
  async () => {
    await using seen = await visit(`${server.url}/#chains`, {
      allowed: REFUSED,
    });
    const { page } = seen;
    const problem = {
      status: 422,
      title: "Invalid fields",
      detail: "caption: no",
    };
    await script(page, [{ status: "failed", steps: [], problem }]);
    await page.getByLabel("Prompt", { exact: true }).fill("a rocket");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("caption: no").waitFor();
    await page.route("**/v1/workflows/imagine", (route) =>
      route.fulfill({
        status: 422,
        json: {
          status: 422,
          detail: "/ratio is invalid",
          errors: [{ pointer: "/ratio", detail: "expected a ratio" }],
        },
      }));
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("expected a ratio").waitFor();
  },
);

pageTest(
  "Chains view: a server without workflows does not offer it",
  async () => {
    await using seen = await visit(`${server.url}/#draw`);
    const { page } = seen;
    await page.getByText("Ready").first().waitFor();
    await page.waitForLoadState("networkidle");
    strictEqual(await page.getByRole("link", { name: "Chains" }).count(), 0);
  },
);
