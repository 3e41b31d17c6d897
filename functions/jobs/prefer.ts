/**
 * The `Prefer` header: an answer, or a job (RFC 7240).
 *
 * ```text
 * Prefer: respond-async            a job at once
 * Prefer: respond-async, wait=10   the answer if it comes in 10 seconds, else a job
 * Prefer: wait=10                  the same
 * ```
 *
 * @module
 */

/** A preference for a job. */
export interface AsyncPreference {
  /** Seconds to wait for the answer first. */
  readonly waitSeconds: number;
  /** Value of `Preference-Applied`. */
  readonly applied: string;
}

/** A preference: text up to a comma outside of quotes. */
const PREFERENCE = /(?:"(?:\\.|[^"\\])*"|[^,"])+/g;

/** Start of a preference: a token, and a token or a quoted string. */
const NAME_AND_VALUE =
  /^\s*([^\s=;,"]+)\s*(?:=\s*("[^"]*"|[^\s;,"]*)\s*)?(?:;|$)/;

/** Longest wait of a client, in seconds. */
const MAX_WAIT_SECONDS = 3600;

/**
 * Returns the preference for a job in a `Prefer` header; undefined for none.
 * Unknown preferences are ignored, as the RFC requires.
 */
export function asyncPreference(
  header: string | undefined,
): AsyncPreference | undefined {
  const preferences = new Map<string, string>();
  for (const [preference] of (header ?? "").matchAll(PREFERENCE)) {
    const [, name, value] = NAME_AND_VALUE.exec(preference) ?? [];
    const key = name?.toLowerCase() ?? "";
    // The first of several preferences of one name counts.
    if (!preferences.has(key)) {
      preferences.set(key, (value ?? "").replace(/^"(.*)"$/, "$1"));
    }
  }
  const responds = preferences.has("respond-async");
  const wait = preferences.get("wait") ?? "";
  const waits = /^\d+$/.test(wait);
  if (!responds && !waits) return undefined;
  const waitSeconds = waits ? Math.min(Number(wait), MAX_WAIT_SECONDS) : 0;
  const applied = [
    ...responds ? ["respond-async"] : [],
    ...waits ? [`wait=${waitSeconds}`] : [],
  ];
  return { waitSeconds, applied: applied.join(", ") };
}
