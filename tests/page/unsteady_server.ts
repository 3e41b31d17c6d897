/**
 * The fault-injecting proxy in front of a server.
 *
 * @module
 */

/** The faults of the proxy at present. */
export interface UnsteadyServer extends AsyncDisposable {
  /** URL that it listens on. */
  readonly url: string;
  /** Bodies of the generate requests, in order. */
  readonly asked: { seed?: number; prefix?: { codes: number[][] } }[];
  /** Count of rows after which drawings break off and the server is away. */
  breakAfter: number | undefined;
  /** Returns the end of a stream that breaks off; undefined cuts it. */
  lastWords: ((rows: number) => string) | undefined;
  /** True for drawings that stall instead of breaking off. */
  stalls: boolean;
  /** True if the server is unreachable. */
  away: boolean;
  /** Answers to the next generate requests. */
  readonly refusals: (() => Response)[];
  /** Resolves when the server is disposed of. */
  readonly ended: Promise<void>;
}

/** Starts a proxy for the server at `target`. */
export function openUnsteadyServer(target: string): UnsteadyServer {
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      // Streams are broken on purpose.
      onError: () => new Response(undefined, { status: 502 }),
    },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      if (unsteady.away) return new Response("<html>", { status: 502 });
      const body = request.method === "POST"
        ? new Uint8Array(await request.arrayBuffer())
        : undefined;
      const drawing = pathname === "/v1/generate";
      if (drawing) {
        unsteady.asked.push(JSON.parse(new TextDecoder().decode(body)));
        const refusal = unsteady.refusals.shift();
        if (refusal !== undefined) return refusal();
      }
      const answer = await fetch(`${target}${pathname}${search}`, {
        method: request.method,
        headers: request.headers,
        ...body && { body },
      });
      const { breakAfter } = unsteady;
      if (!drawing || breakAfter === undefined) return answer;
      unsteady.breakAfter = undefined;
      return new Response(broken(answer.body!, breakAfter, unsteady), answer);
    },
  );
  const ended = Promise.withResolvers<void>();
  const unsteady: UnsteadyServer = {
    url: `http://127.0.0.1:${server.addr.port}`,
    asked: [],
    breakAfter: undefined,
    lastWords: undefined,
    stalls: false,
    away: false,
    refusals: [],
    ended: ended.promise,
    [Symbol.asyncDispose]: () => {
      ended.resolve();
      return server.shutdown();
    },
  };
  return unsteady;
}

/** Cuts `body` after a count of rows. */
function broken(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  rows: number,
  unsteady: UnsteadyServer,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let text = "";
  return body.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TransformStream<string, string>({
      async transform(part, controller) {
        // The stream stalls.
        if (unsteady.stalls && rows <= 0) return;
        text += part;
        const blocks = text.split("\n\n");
        text = blocks.pop()!;
        for (const block of blocks) {
          controller.enqueue(`${block}\n\n`);
          if (!block.startsWith("event: row") || --rows > 0) continue;
          if (unsteady.stalls) return;
          unsteady.away = true;
          const words = unsteady.lastWords?.(rows);
          if (words === undefined) {
            // An error would drop bytes that are not sent yet.
            await new Promise((resolve) => setTimeout(resolve, 100));
            controller.error(new Error("truncated"));
          } else {
            controller.enqueue(words);
            controller.terminate();
          }
          return;
        }
      },
      // A stalled stream has no end, however early the drawing has one.
      flush: async () => {
        if (unsteady.stalls && rows <= 0) await unsteady.ended;
      },
    }),
  ).pipeThrough(new TextEncoderStream());
}
