/**
 * The public API, as a page calls it.
 *
 * @module
 */

/** What the server says when it refuses. */
export class ProblemError extends Error {}

/**
 * The answer to a POST.
 *
 * @param {string} path
 * @param {BodyInit} body A string is sent as JSON.
 * @param {{ accept: string, signal?: AbortSignal, type?: string }} options
 * @returns {Promise<Response>}
 */
export async function post(path, body, { accept, signal, type }) {
  const headers = { accept };
  if (typeof body === "string") headers["content-type"] = "application/json";
  if (type !== undefined) headers["content-type"] = type;
  const response = await ask(path, { method: "POST", headers, body, signal });
  if (!response.ok) throw new ProblemError(await detail(response));
  return response;
}

/**
 * The events of a stream, as they come.
 *
 * `EventSource` would do this, but it can only GET.
 *
 * @param {Response} response
 * @returns {AsyncGenerator<{ event: string, data: any }>}
 */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      // A comment line, which keeps the connection open.
      if (event === undefined || data === undefined) continue;
      if (event === "error") throw new ProblemError(JSON.parse(data).detail);
      yield { event, data: JSON.parse(data) };
    }
  }
}

/**
 * What the models can do, and what they propose.
 *
 * @returns {Promise<{ state: string, names: string[], phases: { model: string, name: string, seconds?: number, transfer?: { bytes: number, total_bytes: number | null, bytes_per_second: number | null } }[], capabilities: Set<string>, examples: string[] }>}
 */
export async function lookAround() {
  const { data } = await (await ask("/v1/models", { headers: {} })).json();
  const states = data.map(({ state }) => state);
  return {
    state: ["failed", "loading"].find((state) => states.includes(state)) ??
      "ready",
    names: data.map(({ id }) => id),
    phases: data.flatMap(({ id, phases }) =>
      phases.map((phase) => ({ model: id, ...phase }))
    ),
    capabilities: new Set(data.flatMap(({ capabilities }) => capabilities)),
    examples: data.flatMap(({ examples }) => examples ?? []),
  };
}

/** Whether to ask for a key, after which nobody is asked again in vain. */
let mayAsk = true;

/** Fetches with the key of this tab, and asks for one where it is needed. */
async function ask(path, init) {
  const key = sessionStorage.getItem("key");
  const headers = key === null
    ? init.headers
    : { ...init.headers, authorization: `Bearer ${key}` };
  const response = await fetch(path, { ...init, headers });
  if (response.status !== 401 || !mayAsk) return response;
  const typed = prompt(`${await detail(response.clone())}\n\nKey:`);
  mayAsk = typed !== null;
  if (!typed) return response;
  sessionStorage.setItem("key", typed);
  return await ask(path, init);
}

async function detail(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return `The server answered ${response.status}.`;
  }
}
