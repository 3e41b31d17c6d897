/**
 * Who draws the same guided picture: ours in every precision over HTTP, and
 * what others run.
 *
 * A token is a code or the end of a row, whoever draws; what it costs at best is
 * the bytes of weights that are read for it.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { type Server, startServer } from "../support/server.ts";
import { drawCodes } from "./client.ts";
import { type Folders, PRECISIONS } from "./folders.ts";
import { MIDDLE_CODES } from "./middle_checkpoint.ts";
import { Peer, startPeer } from "./peers.ts";
import { stepBytes } from "./step_bytes.ts";

/** One who draws. */
export interface Contender {
  /** For people. */
  readonly name: string;
  /** Of weights, read for a token. */
  readonly bytesPerToken: number;
  /** Draws once: seconds a token; undefined when it cannot. */
  measure(): Promise<number | undefined>;
}

/** Ours in one precision, with the server that it runs on. */
export interface Ours extends Contender {
  /** What is measured. */
  readonly precision: typeof PRECISIONS[number];
  /** Ready. */
  readonly server: Server;
}

/** Eight pictures and an answer at once. */
const SLOTS = "9";

/** Bytes of a weight in Q4_0: 32 of four bits and a scale of 16. */
const Q4_BYTES = 18 / 32;

/** Tokens of a square picture, ends of rows included. */
export function pictureTokens(side: number): number {
  return side * (side + 1);
}

/** Ours, each on a server of its own that `stack` ends. */
export async function startOurs(
  folders: Folders,
  side: number,
  stack: AsyncDisposableStack,
): Promise<Ours[]> {
  const ours: Ours[] = [];
  for (const precision of PRECISIONS) {
    const folder = folders.language[precision];
    const checkpoint = await openLanguageCheckpoint(folder);
    const server = stack.use(
      await startServer({
        MODEL: folder,
        VISION_MODEL: folders.vision,
        FUNCTIONS: "generate,caption",
        SLOTS,
      }),
    );
    const rows = {
      start: MIDDLE_CODES.firstCode,
      count: MIDDLE_CODES.codebookSize,
    };
    ours.push({
      name: `ours, ${precision}`,
      precision,
      server,
      // The end of a row is fed together with the code before it.
      bytesPerToken: stepBytes(checkpoint, rows) * side / (side + 1),
      measure: async () => {
        const start = performance.now();
        await drawCodes(server.url, { side, guidanceScale: 3, seed: 1 });
        return (performance.now() - start) / 1000 / pictureTokens(side);
      },
    });
  }
  return ours;
}

/** Others, as far as they are there; `stack` ends their processes. */
export async function startPeers(
  folders: Folders,
  side: number,
  stack: AsyncDisposableStack,
): Promise<Contender[]> {
  const folder = folders.language.fp32;
  const checkpoint = await openLanguageCheckpoint(folder);
  const everyToken = { start: 0, count: checkpoint.config.vocabularySize };
  const fp32Bytes = stepBytes(checkpoint, everyToken);
  const peers: Contender[] = [];
  const add = (
    peer: Peer | undefined,
    contender: Omit<Contender, "measure">,
    field: string,
  ) => {
    if (peer === undefined) return;
    stack.use(peer);
    const measure = async () => (await peer.measure())?.[field];
    peers.push({ ...contender, measure });
  };
  const grid = ["--rows", String(side), "--columns", String(side)];
  add(
    startPeer(["language", folder, ...grid]),
    // It runs the two rows one after the other.
    { name: "transformers, fp32", bytesPerToken: 2 * fp32Bytes },
    "seconds_per_token",
  );
  const modules = Deno.env.get("LLAMA");
  if (modules !== undefined && folders.gguf !== undefined) {
    const q4Bytes = fp32Bytes / 4 * Q4_BYTES;
    add(
      startLlama(resolve(modules), resolve(folders.gguf)),
      { name: "llama.cpp, Q4_0, two sequences", bytesPerToken: q4Bytes },
      "seconds_per_step",
    );
  }
  return peers;
}

/** Its package is none of ours: it is found from the folder that it is in. */
function startLlama(modules: string, gguf: string): Peer {
  const script = new URL("llama.ts", import.meta.url).pathname;
  const options = ["-A", "--no-config", "--no-lock"];
  return new Peer(
    Deno.execPath(),
    [
      "run",
      ...options,
      "--node-modules-dir=manual",
      script,
      modules,
      gguf,
      "2",
    ],
    dirname(modules),
  );
}
