/** Polling interval in milliseconds. */
const PAUSE_MS = 1;

/** Timeout in milliseconds, generous for a busy machine. */
const LIMIT_MS = 120_000;

/**
 * Resolves once `condition` holds.
 *
 * @throws {Error} If it does not hold within two minutes, with the condition.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`never holds: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
