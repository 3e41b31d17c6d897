/**
 * The health check of the images: exits with 0 while the server is live.
 *
 * @module
 */

/** Milliseconds until a check is given up. */
const TIMEOUT_MS = 3000;

if (import.meta.main) {
  const port = Deno.env.get("PORT") || Deno.env.get("AIP_HTTP_PORT") || "8080";
  Deno.exit(await lives(`http://127.0.0.1:${port}/livez`) ? 0 : 1);
}

/** Returns true if the server at `url` is live. */
export async function lives(url: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(url, { signal });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    // Connection refused or timed out: not live.
    return false;
  }
}
