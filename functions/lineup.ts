/**
 * Which models a server needs, and what for: settled before any is opened.
 *
 * @module
 */

import { CheckpointError } from "../lib/errors.ts";
import { findVisionFolder } from "../lib/loading/checkpoint.ts";
import { hubCommit, modelName } from "../lib/loading/hub_cache.ts";
import { folderFingerprint } from "./fingerprint.ts";
import type { FunctionName } from "./function_names.ts";

/** A folder. */
export interface Place {
  /** As it was given. */
  readonly folder: string;
  /** The same for every way to write it. */
  readonly key: string;
  /** What requests call the model. */
  readonly name: string;
  /** Commit of its repository; undefined when nothing says it. */
  readonly revision: string | undefined;
  /** Differs when its files do. */
  readonly fingerprint: string;
}

/** A language model, its vision tokenizer, and what they do. */
export interface Seat {
  /** Tokens. */
  readonly language: Place;
  /** Pixels. */
  readonly vision: Place;
  /** Whether it serves `generate`. */
  readonly draws: boolean;
  /** Whether it serves `caption`. */
  readonly answers: boolean;
}

/** What a vision tokenizer is loaded for. */
export type Direction = "encode" | "decode";

/** All models of a server. */
export interface Lineup {
  /** The first is asked when a request names none. */
  readonly seats: readonly Seat[];
  /** What to load of each vision tokenizer, by key. */
  readonly directions: ReadonlyMap<string, ReadonlySet<Direction>>;
}

/** What the lineup depends on. */
export interface LineupOptions {
  /** Folders of checkpoints; `vision` undefined for the one beside each. */
  readonly folders: {
    /** Draws. */
    readonly gen: string;
    /** Answers. */
    readonly chat: string;
    /** For both. */
    readonly vision: string | undefined;
  };
  /** What is served. */
  readonly functions: ReadonlySet<FunctionName>;
}

/**
 * The models that `functions` need.
 *
 * @throws {CheckpointError} When a folder is missing.
 */
export async function planLineup(
  { folders, functions }: LineupOptions,
): Promise<Lineup> {
  const gen = await place(folders.gen);
  const chat = await place(folders.chat);
  const draws = functions.has("generate");
  const answers = functions.has("caption");
  const seat = async (
    language: Place,
    draws: boolean,
    answers: boolean,
  ): Promise<Seat> => {
    const vision = await place(
      folders.vision ?? await findVisionFolder(language.folder),
    );
    return { language, vision, draws, answers };
  };
  if (gen.key === chat.key) {
    return lineup([await seat(gen, draws, answers)], functions);
  }
  // A model that serves nothing by itself still has a tokenizer, which is
  // wanted only where no other model is served.
  const seats = [
    ...(draws || !answers ? [await seat(gen, draws, false)] : []),
    ...(answers || !draws ? [await seat(chat, false, answers)] : []),
  ];
  return lineup(seats, functions);
}

function lineup(
  seats: readonly Seat[],
  functions: ReadonlySet<FunctionName>,
): Lineup {
  const directions = new Map<string, Set<Direction>>();
  const add = ({ key }: Place, direction: Direction) => {
    const known = directions.get(key) ?? new Set();
    directions.set(key, known.add(direction));
  };
  const [first] = seats;
  if (functions.has("tokenize")) add(first!.vision, "encode");
  if (functions.has("detokenize")) add(first!.vision, "decode");
  for (const { vision, draws, answers } of seats) {
    if (draws) add(vision, "decode");
    if (answers) add(vision, "encode");
  }
  return { seats, directions };
}

async function place(folder: string): Promise<Place> {
  try {
    const key = await Deno.realPath(folder);
    const revision = hubCommit(folder);
    const fingerprint = revision ?? await folderFingerprint(key);
    return { folder, key, name: modelName(folder), revision, fingerprint };
  } catch (cause) {
    throw new CheckpointError(folder, "there is no such folder", { cause });
  }
}
