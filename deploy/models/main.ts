/**
 * The command that manages models: `deno task models`.
 *
 * @module
 */

import { DiskError } from "../cache/base/disk.ts";
import { locate, placesFrom, SourceError } from "../cache/locate.ts";
import { RemoteError } from "../cache/net/remote.ts";
import { PublishError } from "../publish/published_files.ts";
import {
  containerAllowance,
  threadsWithin,
} from "../../lib/runtime/memory/cgroup_limits.ts";
import { VERSION } from "../../lib/version.ts";
import {
  type CommandSignals,
  FAILED,
  runCommand,
  writeAll,
} from "../command/run_command.ts";
import { type ModelsArguments, parseArguments, USAGE } from "./arguments.ts";
import { cachedModels } from "./cached_models.ts";
import { list } from "./list.ts";
import { prune } from "./prune.ts";
import { publish } from "./publish.ts";
import { bring, pull } from "./pull.ts";
import { Report } from "./report.ts";
import { type Suspect, verify } from "./verify.ts";

if (import.meta.main) {
  await runCommand({
    usage: USAGE,
    expected: [SourceError, RemoteError, DiskError, PublishError],
    run: manage,
  });
}

async function manage({ stop }: CommandSignals): Promise<number> {
  const words = Deno.args.filter((word) => word !== "--json");
  const json = words.length < Deno.args.length;
  const report = new Report({
    terminal: Deno.stdout.isTerminal() && !json,
    write: (text) => writeAll(Deno.stdout, text),
    now: () => performance.now(),
  });
  const parsed = parseArguments(words);
  return await run(parsed, report, stop.signal) ? 0 : FAILED;
}

/** Runs the command; returns true if all files are intact. */
async function run(
  parsed: ModelsArguments,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  const places = placesFrom();
  const threads = threadsWithin(
    navigator.hardwareConcurrency,
    containerAllowance(),
  );
  switch (parsed.command) {
    case "pull":
      await pull(parsed.sources, places, report, signal);
      return true;
    case "list":
      await list(places.hubCaches, report);
      return true;
    case "verify": {
      const suspects = parsed.sources.length === 0
        ? await allCached(places.hubCaches)
        : await Promise.all(parsed.sources.map(async (name) => ({
          name,
          folder: await locate(name, places),
        })));
      const unknownPasses = parsed.sources.length === 0;
      const options = { threads, signal, unknownPasses };
      return await verify(suspects, report, options);
    }
    case "prune":
      await prune(places.hubCaches, parsed, report, Date.now());
      return true;
    case "publish": {
      const folder = await bring(parsed.source, places, report, signal);
      const command = {
        ...parsed,
        folder,
        threads,
        signal,
        createdBy: `emu3 ${VERSION}`,
        variable: (name: string) => Deno.env.get(name),
      };
      await publish(command, report);
      return true;
    }
    default:
      return parsed satisfies never;
  }
}

async function allCached(caches: readonly string[]): Promise<Suspect[]> {
  return (await cachedModels(caches)).flatMap(({ name, revisions }) =>
    revisions.map(({ commit, folder }) => ({
      name: `${name}@${commit}`,
      folder,
    }))
  );
}
