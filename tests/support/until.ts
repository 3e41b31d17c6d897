/** Milliseconds between two looks. */
const PAUSE_MS = 1;

/** Milliseconds after which a condition is given up, on however busy a machine. */
const LIMIT_MS = 120_000;

/**
 * Settles once `condition` holds.
 *
 * @throws {Error} When it does not within two minutes, with the condition.
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
