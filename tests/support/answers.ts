/**
 * A small service on loopback whose answers a test provides.
 *
 * @module
 */

/** A request that the service received. */
export interface AskedOf {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A running service. */
export interface Answers extends AsyncDisposable {
  /** URL that it listens on. */
  readonly url: string;
  /** Requests so far. */
  readonly asked: AskedOf[];
  /** Handler of the next requests. */
  answer: (asked: AskedOf) => Response;
}

/** Starts a service. */
export function openAnswers(answer: Answers["answer"]): Answers {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { method, headers } = request;
      const path = new URL(request.url).pathname;
      const asked = { method, path, headers, body: await request.text() };
      answers.asked.push(asked);
      return answers.answer(asked);
    },
  );
  const answers: Answers = {
    url: `http://127.0.0.1:${server.addr.port}`,
    asked: [],
    answer,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return answers;
}
