/**
 * The policy of a planned request: appends the tokens of its class in its
 * number of runs.
 *
 * @module
 */

import type { Draft, Head, Policy } from "../../lib/engine/policy.ts";
import { fedAfter, type RequestClass } from "./workload.ts";

/** Events of a planned request. */
export interface PlannedEvents {
  /** Called at the first choice. */
  readonly onFirst?: () => void;
  /** Called after the last run. */
  readonly onEnd?: () => void;
}

/** Chooses the number of tokens that the class of a request sets. */
export class PlannedPolicy implements Policy {
  /** The head is irrelevant: logits are never read. */
  readonly head: Head = "codes";
  readonly #kind: RequestClass;
  readonly #events: PlannedEvents;
  #runs = 0;
  #draft: Draft = { kept: 0, tokens: [], scored: [] };

  /** Creates the policy of a request. */
  constructor(kind: RequestClass, events: PlannedEvents = {}) {
    this.#kind = kind;
    this.#events = events;
  }

  /** Returns the tokens of the next run; undefined after the last. */
  choose(): Draft | undefined {
    if (this.#runs === 0) this.#events.onFirst?.();
    if (this.#runs === this.#kind.runs) {
      this.#events.onEnd?.();
      return undefined;
    }
    const fed = fedAfter(this.#kind, this.#runs);
    const count = fedAfter(this.#kind, ++this.#runs) - fed;
    const kept = this.#draft.tokens.length;
    // Most drafts equal the previous one.
    if (count !== kept || kept !== this.#draft.kept) {
      this.#draft = this.#draftOf(count, kept, fed);
    }
    return this.#draft;
  }

  #draftOf(count: number, kept: number, fed: number): Draft {
    const tokens = Array.from({ length: count }, () => 1);
    if (this.#kind.tokensPerRun === 1) {
      return { kept, tokens, scored: [count - 1] };
    }
    // Positions make it a multi-token step, even with one token.
    const positionIds = tokens.map((_, i) => fed + i);
    return { kept, tokens, scored: [...tokens.keys()], positionIds };
  }
}
