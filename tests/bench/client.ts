/**
 * The client of the benchmarks.
 *
 * @module
 */

/** A picture to draw. */
export interface PictureRequest {
  /** Height and width in codes. */
  readonly side: number;
  /** Guidance scale; 1 for none. */
  readonly guidanceScale: number;
  /** Seed of the picture. */
  readonly seed: number;
}

/** Side of a code in pixels. */
const PIXELS_PER_CODE = 8;

/** Draws and returns the codes alone: no vision tokenizer runs. */
export async function drawCodes(
  url: string,
  { side, guidanceScale, seed }: PictureRequest,
): Promise<void> {
  await post(`${url}/v1/generate`, "application/octet-stream", {
    prompt: "a lighthouse on a cliff above the sea, at dusk",
    strategy: "autoregressive",
    height: PIXELS_PER_CODE * side,
    width: PIXELS_PER_CODE * side,
    "guidance_scale": guidanceScale,
    seed,
  });
}

/** The cost of an answer. */
export interface Answered {
  /** Seconds from the request to its single word. */
  readonly seconds: number;
  /** Seconds of the prefill. */
  readonly prefillSeconds: number;
  /** Tokens of the prompt. */
  readonly promptTokens: number;
}

/**
 * Requests one word about a picture of `side` × `side` codes.
 *
 * @param code Code that fills the picture. The server caches the prefix of a
 *   known picture, so every question needs another one.
 */
export async function firstWord(
  url: string,
  { side, code }: { readonly side: number; readonly code: number },
): Promise<Answered> {
  const row = Array.from({ length: side }, () => code);
  const start = performance.now();
  const response = await post(`${url}/v1/caption`, "application/json", {
    grid: { codes: row.map(() => row) },
    question: "What is to be seen here?",
    "max_tokens": 1,
  });
  const seconds = (performance.now() - start) / 1000;
  const { timings, usage } = JSON.parse(new TextDecoder().decode(response));
  return {
    seconds,
    prefillSeconds: timings["prefill_s"],
    promptTokens: usage["prompt_tokens"],
  };
}

async function post(
  url: string,
  accept: string,
  body: unknown,
): Promise<ArrayBuffer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return await response.arrayBuffer();
}
