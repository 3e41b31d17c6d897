/**
 * One download in a process of its own, for its time and its memory.
 *
 * Arguments: endpoint, cache, workers, connections. Prints seconds, seconds of
 * computing, and the most bytes that were resident.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { obtain } from "../../deploy/cache/obtain.ts";
import { remoteVariables } from "../../deploy/cache/remote_for.ts";

const [endpoint, cache, workers, connections] = Deno.args;
const begin = performance.now();
let peakBytes = 0;
const watch = setInterval(() => {
  peakBytes = Math.max(peakBytes, Deno.memoryUsage().rss);
}, 50);
await obtain("org/large", {
  places: {
    modelFolders: [],
    hubCaches: [cache!],
    downloads: {
      cache: cache!,
      variables: remoteVariables((name) =>
        name === "HF_ENDPOINT" ? endpoint : undefined
      ),
      verify: false,
    },
  },
  onProgress: () => {},
  signal: new AbortController().signal,
  effort: { workers: Number(workers), connections: Number(connections) },
});
clearInterval(watch);
const seconds = (performance.now() - begin) / 1000;
const { user, system } = cpuUsage();
const cpuSeconds = (user + system) / 1e6;
Deno.stdout.writeSync(
  new TextEncoder().encode(
    `${JSON.stringify({ seconds, cpuSeconds, peakBytes })}\n`,
  ),
);
Deno.exit();
