/**
 * The journals of chains, which a new version of the service replays: an entry
 * that is added, removed or renamed breaks every chain that runs.
 *
 * If a change is meant: raise the `version` of the chain, keep the former steps
 * where `steps.version` is lower, and write the journals with UPDATE_JOURNALS=1.
 *
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import { RestateAdmin } from "../../deploy/workflows/restate/restate_admin.ts";
import { CHAINS } from "../../deploy/workflows/schema/chains.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/until.ts";
import { ChainClient } from "./chains/chain_client.ts";
import { emulatedChains } from "./chains/emulated_chains.ts";
import {
  JOURNAL_CASES,
  journalBehavior,
  type JournalCase,
  writePreparedInput,
} from "./chains/journal_cases.ts";

const GOLDEN = new URL("chains/journals.json", import.meta.url);

/** An entry of a journal, as Restate shows it. */
interface JournalEntry {
  readonly name: string;
  readonly "entry_lite_json": string;
}

/** Returns the kind and the name of an entry. */
function entryText({ name, entry_lite_json: json }: JournalEntry): string {
  const [[kind, fields]] = Object.entries<Record<string, unknown>>(
    JSON.parse(json).Command,
  ) as [[string, Record<string, unknown>]];
  switch (kind) {
    case "SetState":
      return `${kind} ${fields["key"]}`;
    case "Call": {
      const [target] = Object.values(
        fields["invocation_target"] as Record<string, { name: string }>,
      );
      return `${kind} ${target!.name}`;
    }
  }
  return name === "" ? kind : `${kind} ${name}`;
}

Deno.test("the journals of chains are those of the released version", async () => {
  using folder = temporaryFolder();
  writePreparedInput(folder);
  const options = { dataFolder: folder.path };
  await using at = await emulatedChains(journalBehavior(), options);
  const admin = new RestateAdmin(at.chains.admin);
  const { signal } = new AbortController();
  const journals: Record<string, string[]> = {};
  const run = async (name: string, { chain, input, canceled }: JournalCase) => {
    const key = name.replaceAll(" ", "-");
    const client = new ChainClient(at.chains, chain, key);
    await client.start(input);
    if (canceled) {
      await until(() => at.emu3.drawn.has(`${chain}/${key}/draw`));
      await until(async () => (await client.status())?.steps.length === 1);
      await client.cancel();
    }
    await client.attach();
    const rows = await admin.query(
      `select j.name, j.entry_lite_json from sys_journal j
       join sys_invocation i on i.id = j.id
       where i.target = '${chain}/${key}/run' and j.entry_type like 'Command%'
       order by j.index`,
      signal,
    );
    journals[name] = (rows as unknown as JournalEntry[]).map(entryText);
  };
  for (const [name, one] of Object.entries(JOURNAL_CASES)) await run(name, one);
  if (Deno.env.get("UPDATE_JOURNALS") === "1") {
    const text = `${JSON.stringify(journals, undefined, 2)}\n`;
    await Deno.writeTextFile(GOLDEN, text);
  }
  deepStrictEqual(journals, JSON.parse(await Deno.readTextFile(GOLDEN)));
});

Deno.test("every chain has a golden journal", () => {
  const chains = Object.values(JOURNAL_CASES).map(({ chain }) => chain);
  deepStrictEqual([...new Set(chains)], Object.keys(CHAINS));
});
