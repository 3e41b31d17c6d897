/**
 * An https server on loopback whose certificate is made when it starts, and a
 * network in which it stands.
 *
 * @module
 */

import { generate } from "selfsigned";
import type { OutsideNetwork } from "../../functions/outbound/request.ts";

/** The name that its certificate is for. */
export const HOST = "pictures.test";

/** A running server. */
export interface HttpsServer extends AsyncDisposable {
  /** Where it is, by its name. */
  readonly url: string;
  /** A network where its name leads to it, and its certificate counts. */
  readonly network: OutsideNetwork;
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
