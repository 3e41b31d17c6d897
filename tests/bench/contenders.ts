/**
 * The contenders that draw the same guided picture: this server in every
 * precision over HTTP, and other software.
 *
 * A token is a code or the end of a row for all of them; its lower bound is the
 * time to read the weights for it.
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

/** A contender. */
export interface Contender {
  /** Name for display. */
  readonly name: string;
  /** Bytes of weights that are read per token. */
  readonly bytesPerToken: number;
  /** Draws once and returns seconds per token; undefined on failure. */
  measure(): Promise<number | undefined>;
}

/** This server in one precision. */
export interface Ours extends Contender {
  /** Precision of the weights. */
  readonly precision: typeof PRECISIONS[number];
  /** Server that is ready. */
  readonly server: Server;
}

/** Slots for eight pictures and an answer at once. */
const SLOTS = "9";

/** Bytes of a weight in Q4_0: 32 of four bits each and a scale of 16 bits. */
const Q4_BYTES = 18 / 32;

/** Returns the tokens of a square picture, ends of rows included. */
export function pictureTokens(side: number): number {
  return side * (side + 1);
}

/** Starts this server in every precision; `stack` ends the processes. */
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

/** Starts the peers that are installed; `stack` ends their processes. */
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

/**
 * Starts llama.cpp from the folder of its package, which is no dependency of
 * this project.
 */
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
