/**
 * The timing and the tables of benchmarks.
 *
 * @module
 */

/** Returns the least seconds of `runs` calls, after one that does not count. */
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
 * Returns the least seconds of `runs` calls of each of two functions that
 * alternate, after one each that does not count: on a machine of varying speed,
 * both meet the same.
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

/**
 * Returns the median seconds of `runs` calls, after one that does not count.
 */
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

/** A row of the report. */
export interface Row {
  /** Name of the measurement. */
  readonly name: string;
  /** Best time in seconds. */
  readonly seconds: number;
  /** Ceiling of the machine in seconds; undefined if none applies. */
  readonly ceilingSeconds?: number;
}

/** Formats `rows` as a Markdown table. */
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
