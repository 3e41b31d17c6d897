/**
 * The warm-up step of the Containerfile: runs the server once and uses its
 * lazily loaded parts, so that Deno's cache holds all code, compiled.
 *
 * A server that fails here fails the build: an image that cannot draw is not
 * built.
 *
 * @module
 */

import { lives } from "./livez.ts";

/** Flags of the server here; cached code does not depend on them. */
const RUN = ["run", "-A", "--cached-only", "--no-lock"];

if (import.meta.main) await warm(Deno.args);

/**
 * Starts a server, uses it and stops it.
 *
 * @param command Flags for Deno, and the program.
 * @throws {Error} When it fails to start, respond or end.
 */
export async function warm(command: readonly string[]): Promise<void> {
  const server = new Deno.Command(Deno.execPath(), {
    args: [...RUN, ...command],
    env: { PORT: "0", HOST: "127.0.0.1", STORE: ":memory:" },
    stdout: "piped",
  }).spawn();
  const output = server.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  let drained: Promise<void> | undefined;
  try {
    const url = await readyUrl(output);
    // Keeps reading, so that the server never waits for a full pipe.
    drained = drain(output);
    await useAll(url);
  } finally {
    server.kill("SIGTERM");
  }
  await drained;
  const { code } = await server.status;
  if (code !== 0) {
    throw new Error(`Cannot warm up: the server exited with ${code}`);
  }
}

async function readyUrl(
  output: ReadableStreamDefaultReader<string>,
): Promise<string> {
  let printed = "";
  while (true) {
    const { value, done } = await output.read();
    if (done) throw new Error(`Cannot warm up: the server exited: ${printed}`);
    printed += value;
    const url = /ready at (http:\S+):/.exec(printed)?.[1];
    if (url !== undefined) return url;
  }
}

async function drain(
  output: ReadableStreamDefaultReader<string>,
): Promise<void> {
  while (!(await output.read()).done);
}

/** Sends one request for each part that is loaded on first use. */
async function useAll(url: string): Promise<void> {
  // The code of the health check is cached, too.
  if (!await lives(`${url}/livez`)) {
    throw new Error(`Cannot warm up: no server responds at ${url}`);
  }
  const prompt = JSON.stringify({ prompt: "three apples", seed: 11 });
  const json = { "content-type": "application/json" };
  const drawn = async (accept: string) =>
    await ask(`${url}/v1/generate`, {
      body: prompt,
      headers: { ...json, accept },
    });
  const picture = await drawn("image/png");
  await drawn("image/jpeg");
  for (const name of ["caption", "tokenize"]) {
    const body = new Uint8Array(picture);
    const headers = { "content-type": "image/png" };
    await ask(`${url}/v1/${name}`, { body, headers });
  }
  const message = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "warm", version: "1" },
    },
  };
  await ask(`${url}/mcp`, {
    body: JSON.stringify(message),
    headers: { ...json, accept: "application/json, text/event-stream" },
  });
  for (const path of ["/openapi.json", "/metrics", "/docs", "/"]) {
    await ask(`${url}${path}`);
  }
}

async function ask(
  url: string,
  post?: { readonly body: BodyInit; readonly headers: HeadersInit },
): Promise<ArrayBuffer> {
  const answer = await fetch(
    url,
    post === undefined ? {} : { method: "POST", ...post },
  );
  const body = await answer.arrayBuffer();
  if (answer.ok) return body;
  throw new Error(
    `Cannot warm up: ${url} responds with ${answer.status}: ${
      new TextDecoder().decode(body)
    }`,
  );
}
