/**
 * The progress of a download, in numbers and words.
 *
 * @module
 */

/** Progress of obtaining a model. */
export interface ObtainProgress {
  /**
   * Current phase; `wait` is for another process that downloads the same model.
   */
  readonly phase: "resolve" | "wait" | "download" | "verify";
  /** Bytes that are here, those of an earlier attempt included. */
  readonly bytes: number;
  /** Bytes in all; undefined while unknown. */
  readonly totalBytes: number | undefined;
  /** Name of their source, for messages. */
  readonly place: string;
}

/** A moment of a download, and its speed. */
export interface TransferRate {
  /** Progress at that moment. */
  readonly progress: ObtainProgress;
  /** Recent bytes per second; undefined while unknown. */
  readonly bytesPerSecond: number | undefined;
  /** Seconds until the end, at the current speed. */
  readonly secondsLeft: number | undefined;
}

/** Milliseconds over which a rate is averaged: shorter jumps, longer lags. */
const WINDOW_MS = 5_000;

/** A tracker of the rate of a download, from its progress reports. */
export class RateTracker {
  #reports: { readonly atMs: number; readonly progress: ObtainProgress }[] = [];

  /** Returns the pace, after a report at a time in milliseconds. */
  at(progress: ObtainProgress, atMs: number): TransferRate {
    const last = this.#reports.at(-1)?.progress;
    const other = last?.phase !== progress.phase ||
      last.place !== progress.place || last.bytes > progress.bytes;
    if (other) this.#reports = [];
    this.#reports.push({ atMs, progress });
    while (
      this.#reports.length > 2 && this.#reports[1]!.atMs <= atMs - WINDOW_MS
    ) this.#reports.shift();
    const first = this.#reports[0]!;
    const seconds = (atMs - first.atMs) / 1000;
    const bytes = progress.bytes - first.progress.bytes;
    const bytesPerSecond = seconds > 0 ? bytes / seconds : undefined;
    const { totalBytes } = progress;
    const secondsLeft =
      totalBytes === undefined || bytesPerSecond === undefined ||
        bytesPerSecond <= 0
        ? undefined
        : (totalBytes - progress.bytes) / bytesPerSecond;
    return { progress, bytesPerSecond, secondsLeft };
  }
}

const DOING = {
  resolve: "asking",
  wait: "waiting for",
  download: "downloading from",
  verify: "verifying",
} as const satisfies Record<ObtainProgress["phase"], string>;

/**
 * Formats a pace, such as `downloading from …: 1.2 of 17.0 GB, 7 %, 512 MB/s,
 * 31 s left`.
 */
export function formatRate(
  { progress, bytesPerSecond, secondsLeft }: TransferRate,
): string {
  const { phase, bytes, totalBytes, place } = progress;
  const parts = totalBytes === undefined ? [] : [
    `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`,
    `${Math.floor(100 * (totalBytes === 0 ? 1 : bytes / totalBytes))} %`,
  ];
  if (bytesPerSecond !== undefined && totalBytes !== undefined) {
    parts.push(`${formatBytes(bytesPerSecond)}/s`);
  }
  if (secondsLeft !== undefined) {
    parts.push(`${formatSeconds(secondsLeft)} left`);
  }
  const what = `${DOING[phase]} ${place}`;
  return parts.length === 0 ? what : `${what}: ${parts.join(", ")}`;
}

/** Formats bytes, such as `17.0 GB`, in powers of ten as on disk labels. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  // 999.95 would be written as 1000.0.
  while (value >= (unit === 0 ? 1000 : 999.95) && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Formats seconds, such as `31 s`, `4 min`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
