/**
 * The stored form of a resume state.
 *
 * Field names of the stored form are those of the first release, so that jobs
 * of any version resume: `judgements` are scores, the `law` of an outcome is its
 * distribution, and `patience` is the state of the speculation controller.
 *
 * @module
 */

import { deserialize, serialize } from "node:v8";
import type {
  DraftCode,
  Guesses,
  ResumeState,
} from "../../../lib/drawing/resume_state.ts";
import type { Outcome } from "../../../lib/sampling/coupling.ts";

/** A draft in its stored form. */
interface StoredDraft extends Pick<DraftCode, "code" | "attempts"> {
  readonly outcome:
    | Pick<Outcome, "token"> & { readonly law: Outcome["distribution"] }
    | undefined;
}

/** A resume state in its stored form. */
interface StoredState extends Pick<ResumeState, "codes"> {
  readonly judgements: ResumeState["scores"];
  readonly guesses: {
    readonly drafts: readonly StoredDraft[];
    readonly patience: Guesses["controller"];
  } | undefined;
}

/** Returns the bytes to store for `state`. */
export function storedResumeState(
  { codes, scores, guesses }: ResumeState,
): Uint8Array<ArrayBuffer> {
  const stored: StoredState = {
    codes,
    judgements: scores,
    guesses: guesses && {
      drafts: guesses.drafts.map(({ code, outcome, attempts }) => ({
        code,
        outcome: outcome && { token: outcome.token, law: outcome.distribution },
        attempts,
      })),
      patience: guesses.controller,
    },
  };
  return new Uint8Array(serialize(stored));
}

/** Returns the resume state that {@linkcode storedResumeState} stored. */
export function resumeStateOf(bytes: Uint8Array): ResumeState {
  const { codes, judgements, guesses }: StoredState = deserialize(bytes);
  return {
    codes,
    scores: judgements,
    guesses: guesses && {
      drafts: guesses.drafts.map(({ code, outcome, attempts }) => ({
        code,
        outcome: outcome && { token: outcome.token, distribution: outcome.law },
        attempts,
      })),
      controller: guesses.patience,
    },
  };
}
