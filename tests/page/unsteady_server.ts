/**
 * A proxy before a server, that does what servers and networks do at times.
 *
 * @module
 */

/** How it is at the moment. */
export interface UnsteadyServer extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  /** Bodies of what was asked to be drawn, in order. */
  readonly asked: { seed?: number; prefix?: { codes: number[][] } }[];
  /** After how many rows drawings break off; then nobody is there. */
  breakAfter: number | undefined;
  /** What the stream ends with when it breaks off; it is cut off without. */
  lastWords: ((rows: number) => string) | undefined;
  /** True for drawings that stand still in place of breaking off. */
  stalls: boolean;
  /** Whether somebody is there. */
  away: boolean;
  /** Answers to drawings that come first. */
  readonly refusals: (() => Response)[];
}

/** Starts one before the server at `target`. */
export function openUnsteadyServer(target: string): UnsteadyServer {
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      // What is cut off is cut off on purpose.
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
  const unsteady: UnsteadyServer = {
    url: `http://127.0.0.1:${server.addr.port}`,
    asked: [],
    breakAfter: undefined,
    lastWords: undefined,
    stalls: false,
    away: false,
    refusals: [],
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return unsteady;
}

/** `body` until so many rows have passed. */
function broken(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  rows: number,
  unsteady: UnsteadyServer,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let text = "";
  return body.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TransformStream<string, string>({
      async transform(part, controller) {
        // It stands still.
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
            // An error drops what is not sent yet.
            await new Promise((resolve) => setTimeout(resolve, 100));
            controller.error(new Error("cut off"));
          } else {
            controller.enqueue(words);
            controller.terminate();
          }
          return;
        }
      },
    }),
  ).pipeThrough(new TextEncoderStream());
}
