/**
 * The reasons that a file or folder cannot be read, with advice in place of the
 * system's codes.
 *
 * @module
 */

/** Errors of a file that does not exist. */
const MISSING = /NotFound|ENOENT|os error 2\b/;

/** Other errors of the system, each with its fault and the remedy. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /PermissionDenied|NotCapable|EACCES|EPERM|os error 1\b|os error 13\b/,
    "permission is denied; grant read access",
  ],
  [
    /IsADirectory|EISDIR|os error 21\b/,
    "it is a folder; name a file",
  ],
  [
    /NotADirectory|ENOTDIR|os error 20\b/,
    "a file is in the place of a folder; check its path",
  ],
  [
    /FilesystemLoop|ELOOP|os error 40\b/,
    "its symbolic links form a loop; replace them",
  ],
  [
    /EMFILE|ENFILE|os error 2[34]\b/,
    "too many files are open; raise the limit (ulimit -n)",
  ],
];

/** Code that Deno adds to the system's words. */
const CODE = /\s*\(os error \d+\).*$/s;

/** Returns true if the system refused an operation on a file. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error &&
    (CODE.test(error.message) ||
      "code" in error && /^E[A-Z]+$/.test(String(error.code)) ||
      Object.values(Deno.errors).some((kind) => error instanceof kind));
}

/**
 * Returns the reason of `error`: the fault and the remedy if it is one of the
 * system, its message otherwise.
 *
 * @param missing Remedy for a file that does not exist.
 */
export function readReason(
  error: unknown,
  missing: string = "check its path",
): string {
  if (!(error instanceof Error)) return String(error);
  if (!isSystemError(error)) return error.message;
  const code = "code" in error ? String(error.code) : "";
  const text = `${code} ${error.name} ${error.message}`;
  if (MISSING.test(text)) return `it does not exist; ${missing}`;
  const reason = REASONS.find(([pattern]) => pattern.test(text))?.[1];
  return reason ??
    `the system reports "${error.message.replace(CODE, "")}"; check the disk`;
}
