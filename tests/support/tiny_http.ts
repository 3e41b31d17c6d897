/**
 * The tiny checkpoints over a real socket.
 *
 * @module
 */

import type { Hono } from "hono";
import type { AppOptions } from "../../functions/app.ts";
import type { AppEnv } from "../../functions/http/context.ts";
import { listen as listenAt } from "../../functions/http/connection/listener.ts";
import { openTinyServer, type TinyServer } from "./tiny_server.ts";
import { until } from "./until.ts";
import type { ServiceOptions } from "../../functions/models/service_options.ts";

/** An address that an application listens on. */
export interface Listening extends AsyncDisposable {
  /** URL without a trailing slash. */
  readonly url: string;
}

/** A server for clients over HTTP. */
export interface TinyHttp extends TinyServer, Listening {
  /** Resolves when a model is busy. */
  readonly busy: () => Promise<void>;
  /** Resolves when no model is busy. */
  readonly idle: () => Promise<void>;
}

/** Serves `app` on a free port. */
export async function listen(app: Hono<AppEnv>): Promise<Listening> {
  const http = await listenAt(app.fetch, {
    hostname: "127.0.0.1",
    port: 0,
    maxConnections: 1000,
    maxUnsentBytes: 2 ** 27,
  });
  return {
    url: `http://127.0.0.1:${http.addr.port}`,
    [Symbol.asyncDispose]: () => http.shutdown(),
  };
}

/** Serves the tiny checkpoints on a free port. */
export async function listenTiny(
  services: Partial<ServiceOptions> = {},
  options: Partial<AppOptions> = {},
): Promise<TinyHttp> {
  const server = await openTinyServer(services, options);
  const http = await listen(server.app);
  return {
    ...server,
    url: http.url,
    busy: () => until(() => isBusy(server)),
    idle: () => until(() => !isBusy(server)),
    [Symbol.asyncDispose]: async () => {
      await http[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function isBusy({ services }: TinyServer): boolean {
  return services.models().some(({ engine }) =>
    engine !== undefined && engine.running + engine.waiting > 0
  );
}
