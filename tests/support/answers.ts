/**
 * A small service on loopback that answers as a test says.
 *
 * @module
 */

/** What it was asked. */
export interface AskedOf {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A running service. */
export interface Answers extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  /** Everything that it was asked. */
  readonly asked: AskedOf[];
  /** Says the next answers. */
  answer: (asked: AskedOf) => Response;
}

/** Starts one. */
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
