/**
 * A process of one download, for its time and its memory.
 *
 * Arguments: endpoint, cache, workers, connections. Prints seconds, and the
 * peak of resident bytes.
 *
 * @module
 */

import { obtain } from "../../deploy/cache/obtain.ts";
import { remoteVariables } from "../../deploy/cache/net/remote_for.ts";

const [endpoint, cache, workers, connections] = Deno.args;
const begin = performance.now();
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
  transferOptions: {
    workers: Number(workers),
    connections: Number(connections),
  },
});
const seconds = (performance.now() - begin) / 1000;
Deno.stdout.writeSync(
  new TextEncoder().encode(
    `${JSON.stringify({ seconds, peakBytes: await peakBytes() })}\n`,
  ),
);
Deno.exit();

/** Returns the peak of resident bytes on Linux, the present value elsewhere. */
async function peakBytes(): Promise<number> {
  try {
    const status = await Deno.readTextFile("/proc/self/status");
    return 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)![1]);
  } catch {
    return Deno.memoryUsage().rss;
  }
}
