/**
 * The emulator of a container platform, from start to end: its probes, the
 * balancer in front and its delay, the signal, the grace period, and SIGKILL.
 * The container is the server's own process.
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

import { delay } from "../../lib/async/delay.ts";
import { type Spawned, spawnServer } from "./server.ts";

/** A probe of a container. */
export interface Probe {
  /** Path of the probe. */
  readonly path: string;
  /** Port of the probe, if it differs from that of requests. */
  readonly port?: number;
  /** Interval between probes. */
  readonly periodMs: number;
  /** Count of consecutive failures that is tolerated. */
  readonly failureThreshold: number;
  /** Returns true for healthy statuses; 200–399 for kubelets. */
  readonly isWell?: (status: number) => boolean;
}

/** The behavior of a platform. */
export interface Platform {
  /** Environment variables that it sets. */
  readonly env: Readonly<Record<string, string>>;
  /** Probe before all others. */
  readonly startup?: Probe;
  /** Probe that puts the container into service, also while it stops. */
  readonly readiness: Probe;
  /** Probe whose failure kills the container; not while it stops. */
  readonly liveness?: Probe;
  /** Hook before the signal. */
  readonly preStop?: (pod: Pod) => Promise<void>;
  /** Signal that ends the container. */
  readonly signal: "SIGTERM" | "SIGINT";
  /** Time from the decision to terminate to SIGKILL. */
  readonly graceMs: number;
  /** Time from that decision until no balancer sends requests. */
  readonly removalLagMs: number;
}

/** The end of a container. */
export interface End {
  /** True if it had to be killed. */
  readonly killed: boolean;
  /** Exit code. */
  readonly code: number;
}

const isKubeletWell = (status: number) => status >= 200 && status < 400;

/** A container under probes. */
export class Pod implements AsyncDisposable {
  readonly #platform: Platform;
  readonly #server: Spawned;
  readonly #ready = Promise.withResolvers<void>();
  readonly #watching: Promise<unknown>;
  #exited = false;
  #terminating = false;
  #removed = false;
  /** True while the readiness probe succeeds. */
  #isReady = false;
  /** Distinct consecutive statuses of the readiness probe; 0 for no answer. */
  readonly seen: number[] = [];
  /** Name of the probe that killed it. */
  failedProbe: string | undefined;

  /** Starts the container. */
  constructor(platform: Platform) {
    this.#platform = platform;
    this.#server = spawnServer(platform.env);
    this.#server.process.status.then(() => this.#exited = true);
    this.#watching = this.#watch();
  }

  /** URL that it listens on. */
  get url(): string {
    return this.#server.url;
  }

  /** Resolves when it first receives requests. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** True while balancers send to it. */
  get inService(): boolean {
    return this.#isReady && !this.#removed;
  }

  /** Terminates the container like the platform. */
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

  /** Kills a container that was not terminated. */
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
      await delay(probe.periodMs);
    }
    return false;
  }

  async #watchReadiness(probe: Probe): Promise<void> {
    for (let failures = 0; !this.#exited; await delay(probe.periodMs)) {
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
    for (let failures = 0; !this.#exited; await delay(probe.periodMs)) {
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

  /** Returns the status of a probe; 0 if there is no answer. */
  async #ask({ path, port }: Probe): Promise<number> {
    const url = new URL(path, this.url);
    if (port !== undefined) url.port = `${port}`;
    try {
      const response = await fetch(url, {
        // Each probe opens a connection of its own.
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

/** The outcome of a request. */
export type Reply =
  | { readonly type: "answer"; readonly body: string }
  // deno-lint-ignore no-explicit-any
  | { readonly type: "refusal"; readonly status: number; readonly problem: any }
  | { readonly type: "lost"; readonly error: unknown };

/** Sends a request to `url` and returns its outcome. */
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
 * Sends requests repeatedly while the pod is in service.
 *
 * @param url URL of the pod, or of the proxy in front.
 */
export function traffic(
  pod: Pod,
  url: string,
  send: (url: string) => Promise<Reply>,
  everyMs: number,
): Traffic {
  const replies: Promise<Reply>[] = [];
  const first = Promise.withResolvers<void>();
  const ended = async () => {
    while (pod.inService) {
      const reply = send(url);
      reply.then(() => first.resolve(), () => first.resolve());
      replies.push(reply);
      await delay(everyMs);
    }
    return await Promise.all(replies);
  };
  return { first: first.promise, replies: ended() };
}

/** The requests of clients to a pod. */
export interface Traffic {
  /** Resolves with the first reply. */
  readonly first: Promise<void>;
  /** Resolves with all replies, once the pod gets no more requests. */
  readonly replies: Promise<Reply[]>;
}
