/**
 * The endpoint of the commands: a server at `EMU3_URL`, or the same application
 * within this process.
 *
 * @module
 */

import { Emu3Error } from "../../lib/errors.ts";
import { createApp } from "../app.ts";
import { type Environment, readEnvironment, thisMachine } from "../env.ts";
import { delay } from "../../lib/async/delay.ts";
import { startServices } from "../models/start_services.ts";

/** A server, remote or in this process. */
export interface Endpoint extends AsyncDisposable {
  /** Address of the server, for display. */
  readonly place: string;
  /**
   * Sends a request and returns its successful answer. Requests to a busy
   * server are repeated after its Retry-After.
   *
   * @throws {RequestError} If the answer is not successful.
   */
  request(path: string, init: RequestInit): Promise<Response>;
}

/** The error of a request that was refused or not answered. */
export class RequestError extends Error {
  /** @param reason Reason for display, as the server gives it. */
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = "RequestError";
  }
}

/** Options of an endpoint. */
export interface EndpointOptions {
  /** Address of a running server; undefined to serve within this process. */
  readonly url: string | undefined;
  /** API key of that server. */
  readonly apiKey: string | undefined;
  /** Called with notices for display. */
  readonly complain: (line: string) => void;
  /** Aborts requests under way. */
  readonly signal: AbortSignal;
}

/** Attempts of a request to a busy server. */
const ATTEMPTS = 100;

/** Seconds until a retry without Retry-After. */
const RETRY_SECONDS = 2;

/** Opens the endpoint that `options` name. */
export async function openEndpoint(
  options: EndpointOptions,
): Promise<Endpoint> {
  const { url, complain, signal } = options;
  if (url === undefined) return await ownEndpoint(complain, signal);
  const base = URL.parse(url);
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new RequestError(
      `Cannot use EMU3_URL "${url}": expected a URL such as http://127.0.0.1:8080`,
    );
  }
  const root = base.href.replace(/\/$/, "");
  const headers = options.apiKey === undefined
    ? {}
    : { authorization: `Bearer ${options.apiKey}` };
  return {
    place: root,
    request: (path, init) =>
      persistently(
        () =>
          fetch(`${root}${path}`, {
            ...init,
            signal,
            headers: { ...init.headers, ...headers },
          }),
        `Cannot reach ${root}`,
        signal,
      ),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Serves within this process, which loads the models of the environment. */
async function ownEndpoint(
  complain: (line: string) => void,
  signal: AbortSignal,
): Promise<Endpoint> {
  const environment = readEnvironment(thisMachine());
  const services = await startServices(environment, {
    onPhase: () => {},
    complain,
  });
  await services.loaded;
  const app = createApp(services, ownOptions(environment, complain));
  return {
    place: services.models().map(({ name }) => name).join(", "),
    request: (path, init) =>
      persistently(
        async () =>
          await app.fetch(
            new Request(`http://localhost${path}`, { ...init, signal }),
          ),
        "Cannot run",
        signal,
      ),
    [Symbol.asyncDispose]: () => services[Symbol.asyncDispose](),
  };
}

/** The caller is the owner of the process: neither keys nor quotas apply. */
function ownOptions(
  environment: Environment,
  complain: EndpointOptions["complain"],
) {
  return {
    ...environment,
    apiKeys: [],
    rateLimit: undefined,
    requestTimeoutMs: undefined,
    maxRequests: environment.slots + environment.queueLimit,
    log: {
      access: () => {},
      failure: (_: string, error: unknown) => {
        if (error instanceof Emu3Error || !(error instanceof Error)) return;
        complain(error.stack ?? error.message);
      },
    },
  };
}

/** Sends a request, and repeats it while the server is busy. */
async function persistently(
  send: () => Promise<Response>,
  failure: string,
  signal: AbortSignal,
): Promise<Response> {
  for (let attempt = 1;; attempt++) {
    let answer: Response;
    try {
      answer = await send();
    } catch (cause) {
      signal.throwIfAborted();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RequestError(`${failure}: ${reason}`, { cause });
    }
    if (answer.ok) return answer;
    const busy = answer.status === 503 || answer.status === 429;
    if (!busy || attempt === ATTEMPTS) throw await refusal(answer);
    await answer.body?.cancel();
    const seconds = Number(answer.headers.get("retry-after") ?? RETRY_SECONDS);
    await delay(1000 * (seconds || RETRY_SECONDS), signal);
    signal.throwIfAborted();
  }
}

/** Reads the problem document of `answer`. */
async function refusal(answer: Response): Promise<RequestError> {
  const text = await answer.text();
  try {
    const { detail } = JSON.parse(text);
    if (typeof detail === "string") return new RequestError(detail);
  } catch {
    // The answer does not come from this server.
  }
  return new RequestError(
    `The server answered ${answer.status}: ${text.slice(0, 200)}`,
  );
}
