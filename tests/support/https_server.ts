/**
 * The https server on loopback, with a certificate generated at its start and a
 * network that resolves its name.
 *
 * @module
 */

import { generate } from "selfsigned";
import type { OutboundNetwork } from "../../functions/outbound/request.ts";

/** Host name of the certificate. */
export const HOST = "pictures.test";

/** A running server. */
export interface HttpsServer extends AsyncDisposable {
  /** URL of the server, by its name. */
  readonly url: string;
  /** Network that resolves the name and trusts the certificate. */
  readonly network: OutboundNetwork;
}

/** Serves `answer` at {@linkcode HOST}. */
export async function openHttpsServer(
  answer: (request: Request) => Response | Promise<Response>,
): Promise<HttpsServer> {
  const { cert, private: key } = await generate(
    [{ name: "commonName", value: HOST }],
    {
      keyType: "ec",
      extensions: [
        { name: "basicConstraints", cA: true },
        {
          name: "subjectAltName",
          altNames: [{ type: 2, value: HOST }],
        },
      ],
    },
  );
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    answer,
  );
  return {
    url: `https://${HOST}:${server.addr.port}`,
    network: {
      resolve: () => Promise.resolve(["127.0.0.1"]),
      allows: (address) => address === "127.0.0.1",
      ca: cert,
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
