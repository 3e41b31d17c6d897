import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { durableChain } from "../../deploy/workflows/durable/chain.ts";
import { seasons } from "../../deploy/workflows/examples/seasons.ts";
import { chainService } from "../../deploy/workflows/service.ts";
import { emulateEmu3 } from "../deploy/workflows/emulated_emu3.ts";
import { ChainClient } from "./chains/chain_client.ts";
import { serviceOptions, startChains } from "./chains/restate_server.ts";

Deno.test("the example of a chain draws a scene in four seasons from one seed", async () => {
  await using emu3 = emulateEmu3();
  const options = serviceOptions({ url: emu3.url });
  await using chains = await startChains(
    options,
    chainService(options, (client) => [durableChain(seasons, client)]),
  );
  const chain = new ChainClient(chains, "seasons", "one");
  const { status, body } = await chain.run({ scene: "a tree" });
  strictEqual(status, 200);
  const pictures = body["pictures"] as { seed: number }[];
  strictEqual(new Set(pictures.map(({ seed }) => seed)).size, 1);
  const prompts = emu3.requests.flatMap(({ path, body }) =>
    path === "POST /v1/generate" ? [body["prompt"]] : []
  );
  deepStrictEqual(
    prompts,
    ["spring", "summer", "autumn", "winter"].map((one) => `a tree in ${one}`),
  );
});
