/**
 * A server of the tiny checkpoints whose webhooks reach receivers on loopback.
 *
 * As a program, for receivers in other languages: prints its address, and sends
 * all webhooks to the URL that is its argument.
 *
 * @module
 */

import { listen, type Listening } from "./tiny_http.ts";
import { openTinyServer } from "./tiny_server.ts";

/** The secret of its signatures. */
export const WEBHOOK_SECRET = `whsec_${btoa("a secret of the tests")}`;

/**
 * Serves on a free port.
 *
 * @param receiver URL that gets the webhooks of all jobs, whichever they name.
 */
export async function listenWithWebhooks(receiver: string): Promise<Listening> {
  const server = await openTinyServer({}, {}, {
    webhooks: {
      secret: WEBHOOK_SECRET,
      post: async (_url, headers, body, signal) => {
        const init = { method: "POST", headers, body, signal };
        const response = await fetch(receiver, init);
        await response.body?.cancel();
        return response.status;
      },
      publicUrl: "",
      delaysMs: Array(100).fill(100),
    },
  });
  const http = await listen(server.app);
  return {
    url: http.url,
    [Symbol.asyncDispose]: async () => {
      await http[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

if (import.meta.main) {
  const [receiver = ""] = Deno.args;
  const { url } = await listenWithWebhooks(receiver);
  Deno.stdout.writeSync(new TextEncoder().encode(`${url}\n`));
}
