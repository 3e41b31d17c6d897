/**
 * A rank file as the `tokenizer.json` that transformers' conversion makes of it.
 *
 * For golden values that need the real ranks in that layout: their
 * `tokenizer.json` has five times the size. Lists merges, which our own reading
 * of ranks does without; so both ways are compared as well.
 *
 * @module
 */
import { spellTokens } from "../../lib/text/byte_characters.ts";
import { parseRanks } from "../../lib/text/ranks.ts";
import type { JsonSource, RankSource } from "../../lib/text/text_source.ts";

/** The transformers layout of `source`. */
export function convertRanks(source: RankSource): JsonSource {
  const tokens = spellTokens(parseRanks(source.bytes));
  const ranks = new Map(tokens.map((token, rank) => [token, rank]));
  const specials = source.specials.map((name, i) => ({
    id: tokens.length + i,
    content: name === "<|extra_0|>" ? "<image>" : name,
    normalized: false,
    special: true,
  }));
  const json = {
    "added_tokens": specials,
    normalizer: null,
    "pre_tokenizer": {
      type: "ByteLevel",
      "add_prefix_space": false,
      "use_regex": true,
    },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(ranks),
      merges: tokens.filter((token) => token.length > 1)
        .map((token) => lastMerge(token, ranks)),
    },
  };
  return {
    kind: "json",
    file: "tokenizer.json",
    bytes: new TextEncoder().encode(JSON.stringify(json)),
    specials: new Map(),
  };
}

/** The two parts that `token` is merged from, when only earlier ranks merge. */
function lastMerge(
  token: string,
  ranks: ReadonlyMap<string, number>,
): string[] {
  const parts = token.split("");
  while (parts.length > 2) {
    let best = 0;
    let bestRank = Infinity;
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(parts[i]! + parts[i + 1]!) ?? Infinity;
      if (rank < bestRank) [best, bestRank] = [i, rank];
    }
    if (bestRank >= ranks.get(token)!) {
      throw new SyntaxError(`no merge makes token ${ranks.get(token)}`);
    }
    parts.splice(best, 2, parts[best]! + parts[best + 1]!);
  }
  return parts;
}
