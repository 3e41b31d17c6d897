/**
 * What the benchmarks ask a server for.
 *
 * @module
 */

/** A picture to draw. */
export interface PictureRequest {
  /** In codes, both ways. */
  readonly side: number;
  /** 1 for a picture without guidance. */
  readonly guidanceScale: number;
  /** Of its draws. */
  readonly seed: number;
}

/** Pixels a code stands for, both ways. */
const PIXELS_PER_CODE = 8;

/** Draws and gives the codes alone: no vision tokenizer runs. */
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

/** What asking costs. */
export interface Answered {
  /** From the question to its one word. */
  readonly seconds: number;
  /** Of it, reading the prompt. */
  readonly prefillSeconds: number;
  /** In the prompt. */
  readonly promptTokens: number;
}

/**
 * Asks for one word about a picture of `side` × `side` codes.
 *
 * @param code Of the whole picture. A server that has seen a picture keeps what
 * it read of it, so every question needs another one.
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
