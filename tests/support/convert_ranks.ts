/**
 * The converter of a rank file into the `tokenizer.json` of transformers.
 *
 * Golden values need the real ranks in that layout, but their `tokenizer.json`
 * has five times the size. The conversion lists merges, which this project's
 * reader does without; so it compares both ways as well.
 *
 * @module
 */
import { spellTokens } from "../../lib/text/byte_characters.ts";
import { parseRanks } from "../../lib/text/ranks.ts";
import type { JsonSource, RankSource } from "../../lib/text/text_source.ts";

/** Converts `source` into the transformers layout. */
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

/**
 * Returns the two parts that `token` is merged from, using earlier ranks only.
 */
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
