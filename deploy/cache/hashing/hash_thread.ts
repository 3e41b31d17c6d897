/**
 * The thread that hashes files: one at a time, with one reply each.
 *
 * Its first message carries the port for all further messages.
 *
 * @module
 */

import { type FileHashes, hashFile, type HashJob } from "./hash_file.ts";

/** A message of the thread: progress, and finally the hashes or the error. */
export type HashNews =
  | { readonly type: "bytes"; readonly bytes: number }
  | { readonly type: "hashes"; readonly hashes: FileHashes }
  | { readonly type: "failure"; readonly reason: string };

/** Bytes between two progress messages. */
const NEWS_BYTES = 2 ** 25;

globalThis.addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent)) return;
  const [port] = event.ports;
  if (port === undefined) return;
  const tell = (news: HashNews) => port.postMessage(news);
  port.onmessage = async ({ data }: MessageEvent<HashJob>) => {
    tell(await outcomeOf(data, tell));
  };
});

async function outcomeOf(
  job: HashJob,
  tell: (news: HashNews) => void,
): Promise<HashNews> {
  let untold = 0;
  const onBytes = (bytes: number) => {
    untold += bytes;
    if (untold < NEWS_BYTES) return;
    tell({ type: "bytes", bytes: untold });
    untold = 0;
  };
  try {
    const hashes = await hashFile(job, onBytes);
    tell({ type: "bytes", bytes: untold });
    return { type: "hashes", hashes };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it failed";
    return { type: "failure", reason };
  }
}
