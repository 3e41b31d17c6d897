/**
 * The service of the chains: an HTTP endpoint that Restate calls, over h2c in
 * both directions, so that a cancellation reaches a running step.
 *
 * ```text
 * EMU3_URL               server of the endpoints (http://127.0.0.1:8080)
 * EMU3_API_KEY           its key, if it has keys
 * HOST, PORT             address of the service (127.0.0.1:9080)
 * WORKFLOWS_DATA         folder of data of the chain prepare
 * RESTATE_IDENTITY_KEY   public keys of requests, "publickeyv1_…"; none: unchecked
 * ```
 *
 * @module
 */

import { createEndpointHandler } from "@restatedev/restate-sdk/fetch";
import { album } from "./chains/album.ts";
import { bestOf } from "./chains/best_of.ts";
import { draw } from "./chains/draw.ts";
import { imagine } from "./chains/imagine.ts";
import { prepareChain } from "./chains/prepare.ts";
import { refine } from "./chains/refine.ts";
import { remix } from "./chains/remix.ts";
import { durableChain, type ServedChain } from "./durable/chain.ts";
import { Emu3Client, type Emu3Server } from "./emu3/emu3_client.ts";
import type { ServiceLog } from "./service_log.ts";

/** Options of the service. */
export interface ServiceOptions extends Emu3Server {
  /** Public keys whose signature requests must have; empty for no check. */
  readonly identityKeys: readonly string[];
  /** Folder of data that the chain `prepare` reads and writes, if any. */
  readonly dataFolder: string | undefined;
  /** Takes events of the SDK; by default its own log has them. */
  readonly log?: ServiceLog;
}

/**
 * Returns the handler of requests of Restate.
 *
 * @param more Returns chains of your own, beside those of `schema/chains.ts`.
 */
export function chainService(
  { identityKeys, dataFolder, log, ...server }: ServiceOptions,
  more: (client: Emu3Client) => readonly ServedChain[] = () => [],
): (request: Request) => Promise<Response> {
  const client = new Emu3Client(server);
  return createEndpointHandler({
    services: [
      durableChain(imagine, client),
      durableChain(draw, client),
      durableChain(bestOf, client),
      durableChain(refine, client),
      durableChain(remix, client),
      durableChain(album, client),
      durableChain(prepareChain({ dataFolder, server }), client),
      ...more(client),
    ],
    bidirectional: true,
    ...log && { logger: log },
    ...identityKeys.length > 0 && { identityKeys: [...identityKeys] },
  });
}
