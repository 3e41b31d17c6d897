/**
 * Timing and printing.
 *
 * @module
 */

/** Least seconds of `runs` calls, after one that does not count. */
export async function best(
  runs: number,
  task: () => Promise<unknown>,
): Promise<number> {
  await task();
  let least = Infinity;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await task();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

/**
 * Least seconds of `runs` calls of each of two that take turns, after one each
 * that does not count: on a machine whose speed wanders, both meet the same.
 */
export async function bestInTurn(
  runs: number,
  first: () => Promise<unknown>,
  second: () => Promise<unknown>,
): Promise<[number, number]> {
  let least: [number, number] = [Infinity, Infinity];
  for (let i = 0; i <= runs; i++) {
    const start = performance.now();
    await first();
    const middle = performance.now();
    await second();
    if (i === 0) continue;
    const end = performance.now();
    least = [
      Math.min(least[0], (middle - start) / 1000),
      Math.min(least[1], (end - middle) / 1000),
    ];
  }
  return least;
}

/** Middle seconds of `runs` calls, after one that does not count. */
export async function median(
  runs: number,
  task: () => Promise<unknown>,
): Promise<number> {
  await task();
  const taken: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await task();
    taken.push((performance.now() - start) / 1000);
  }
  return taken.sort((a, b) => a - b)[runs >> 1]!;
}

/** A line of the report. */
export interface Row {
  /** What was timed. */
  readonly name: string;
  /** Seconds, at best. */
  readonly seconds: number;
  /** Seconds that the machine's ceiling allows; undefined where none applies. */
  readonly ceilingSeconds?: number;
}

/** `rows` as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, seconds, ceilingSeconds }) => {
    const ceiling = ceilingSeconds === undefined ? ["", ""] : [
      ms(ceilingSeconds),
      `${(100 * ceilingSeconds / seconds).toFixed(0)} %`,
    ];
    return `| ${[name, ms(seconds), ...ceiling].join(" | ")} |`;
  });
  return [
    "| what | time | ceiling | of it |",
    "|---|---:|---:|---:|",
    ...lines,
  ].join("\n");
}

function ms(seconds: number): string {
  const value = seconds * 1000;
  return `${value < 100 ? value.toFixed(2) : value.toFixed(0)} ms`;
}
