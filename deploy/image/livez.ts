/**
 * The health check of the images: ends well where the server beside it lives.
 *
 * @module
 */

/** A check is given up after this long, in milliseconds. */
const PATIENCE_MS = 3000;

if (import.meta.main) {
  const port = Deno.env.get("PORT") || Deno.env.get("AIP_HTTP_PORT") || "8080";
  Deno.exit(await lives(`http://127.0.0.1:${port}/livez`) ? 0 : 1);
}

/** Whether what answers at `url` says that it lives. */
export async function lives(url: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(url, { signal });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    // Nobody listens, or nobody answers: that is the answer.
    return false;
  }
}
