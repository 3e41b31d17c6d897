/**
 * What platforms do with a container, from its start to its end: probes by
 * their rules, the balancer in front and how late it hears, the signal, the
 * grace, and SIGKILL. The container is the server's own process.
 *
 * ```text
 * start ─▶ startup probe ─▶ readiness, liveness probes ─▶ terminate()
 *                                │                            │
 * balancer: out ────────────────▶ in ── removal lag ─▶ out    preStop ─▶ signal ─▶ exit
 *                                                             └─ grace ────────────▶ SIGKILL
 * ```
 *
 * @module
 */

import { type Spawned, spawnServer } from "./server.ts";

/** How a container is asked how it is. */
export interface Probe {
  /** Where. */
  readonly path: string;
  /** At another port than requests. */
  readonly port?: number;
  /** From one time to the next. */
  readonly periodMs: number;
  /** How often in a row it may fail. */
  readonly failureThreshold: number;
  /** Statuses that are well; 200–399 for kubelets. */
  readonly isWell?: (status: number) => boolean;
}

/** How a platform treats a container. */
export interface Platform {
  /** What it sets. */
  readonly env: Readonly<Record<string, string>>;
  /** Before anything else is asked. */
  readonly startup?: Probe;
  /** Whether requests are sent; while it stops as well. */
  readonly readiness: Probe;
  /** Whether it is to be killed; not once it stops. */
  readonly liveness?: Probe;
  /** What is waited for before the signal. */
  readonly preStop?: (pod: Pod) => Promise<void>;
  /** Which. */
  readonly signal: "SIGTERM" | "SIGINT";
  /** From the decision to end it to SIGKILL. */
  readonly graceMs: number;
  /** From that decision until no balancer sends any more. */
  readonly removalLagMs: number;
}

/** How a container ended. */
export interface End {
  /** Whether it had to be killed. */
  readonly killed: boolean;
  /** Its exit code. */
  readonly code: number;
}

const isKubeletWell = (status: number) => status >= 200 && status < 400;

/** A container, watched. */
export class Pod implements AsyncDisposable {
  readonly #platform: Platform;
  readonly #server: Spawned;
  readonly #ready = Promise.withResolvers<void>();
  readonly #watching: Promise<unknown>;
  #exited = false;
  #terminating = false;
  #removed = false;
  /** Whether the readiness probe says so. */
  #isReady = false;
  /** Statuses that the readiness probe saw, each once in a row; 0 for none. */
  readonly seen: number[] = [];
  /** The probe for which it was killed. */
  failedProbe: string | undefined;

  /** Starts the container. */
  constructor(platform: Platform) {
    this.#platform = platform;
    this.#server = spawnServer(platform.env);
    this.#server.process.status.then(() => this.#exited = true);
    this.#watching = this.#watch();
  }

  /** Where it listens. */
  get url(): string {
    return this.#server.url;
  }

  /** Comes when requests are sent to it for the first time. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Whether balancers send to it. */
  get inService(): boolean {
    return this.#isReady && !this.#removed;
  }

  /** Ends it as the platform does. */
  async terminate(): Promise<End> {
    const { graceMs, removalLagMs, preStop, signal } = this.#platform;
    const { process } = this.#server;
    this.#terminating = true;
    setTimeout(() => this.#removed = true, removalLagMs);
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      process.kill("SIGKILL");
    }, graceMs);
    await preStop?.(this);
    process.kill(signal);
    const { code } = await process.status;
    clearTimeout(timer);
    await this.#watching;
    await this.#server.drained;
    return { killed, code };
  }

  /** Kills what was not terminated. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#exited) this.#server.process.kill("SIGKILL");
    await this.#server.process.status;
    await this.#watching;
    await this.#server.drained;
  }

  async #watch(): Promise<void> {
    const { startup, readiness, liveness } = this.#platform;
    if (startup !== undefined && !await this.#starts(startup)) {
      this.#kill("startup");
      return;
    }
    await Promise.all([
      this.#watchReadiness(readiness),
      liveness && this.#watchLiveness(liveness),
    ]);
  }

  async #starts(probe: Probe): Promise<boolean> {
    for (let failures = 0; failures < probe.failureThreshold; failures++) {
      if (this.#isWell(probe, await this.#ask(probe))) return true;
      await pause(probe.periodMs);
    }
    return false;
  }

  async #watchReadiness(probe: Probe): Promise<void> {
    for (let failures = 0; !this.#exited; await pause(probe.periodMs)) {
      const status = await this.#ask(probe);
      if (this.#exited) return;
      if (this.seen.at(-1) !== status) this.seen.push(status);
      failures = this.#isWell(probe, status) ? 0 : failures + 1;
      if (failures === 0) this.#isReady = true;
      else if (failures >= probe.failureThreshold) this.#isReady = false;
      if (this.#isReady) this.#ready.resolve();
    }
  }

  async #watchLiveness(probe: Probe): Promise<void> {
    for (let failures = 0; !this.#exited; await pause(probe.periodMs)) {
      const well = this.#isWell(probe, await this.#ask(probe));
      if (this.#exited || this.#terminating) return;
      failures = well ? 0 : failures + 1;
      if (failures >= probe.failureThreshold) return this.#kill("liveness");
    }
  }

  #kill(probe: string): void {
    this.failedProbe = probe;
    this.#ready.reject(new Error(`killed: its ${probe} probe failed`));
    this.#server.process.kill("SIGKILL");
  }

  #isWell({ isWell = isKubeletWell }: Probe, status: number): boolean {
    return isWell(status);
  }

  /** Its status; 0 where there is no answer. */
  async #ask({ path, port }: Probe): Promise<number> {
    const url = new URL(path, this.url);
    if (port !== undefined) url.port = `${port}`;
    try {
      const response = await fetch(url, {
        // Probes come by connections of their own.
        headers: { connection: "close" },
        signal: AbortSignal.timeout(5000),
      });
      await response.body?.cancel();
      return response.status;
    } catch {
      return 0;
    }
  }
}

/** What came of a request. */
export type Reply =
  | { readonly type: "answer"; readonly body: string }
  // deno-lint-ignore no-explicit-any
  | { readonly type: "refusal"; readonly status: number; readonly problem: any }
  | { readonly type: "lost"; readonly error: unknown };

/** Sends a request to `url`, and tells what came of it. */
export async function ask(
  url: string,
  path: string,
  init: RequestInit,
): Promise<Reply> {
  try {
    const response = await fetch(`${url}${path}`, init);
    const body = await response.text();
    if (response.ok) return { type: "answer", body };
    const { status } = response;
    return { type: "refusal", status, problem: JSON.parse(body) };
  } catch (error) {
    return { type: "lost", error };
  }
}

/**
 * Sends a request now and then, as long as the pod is in service.
 *
 * @param url Of the pod, or of what stands in front.
 */
export async function traffic(
  pod: Pod,
  url: string,
  send: (url: string) => Promise<Reply>,
  everyMs: number,
): Promise<Reply[]> {
  const replies: Promise<Reply>[] = [];
  while (pod.inService) {
    replies.push(send(url));
    await pause(everyMs);
  }
  return await Promise.all(replies);
}

/** Comes after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
