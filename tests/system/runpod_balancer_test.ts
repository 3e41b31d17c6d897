/**
 * The tests of RunPod's load balancer endpoint, which requests `/ping` and has
 * no queue.
 */

import { match, strictEqual } from "node:assert/strict";
import { startServer } from "../support/server.ts";
import { json, TINY_FOLDERS } from "../support/tiny_server.ts";
import { freePort } from "../support/free_port.ts";
import { until } from "../support/until.ts";

/** The meaning of a response: 204 is initializing, 200 is healthy. */
type Health = "initializing" | "healthy" | "unhealthy";

/**
 * Requests the URL continuously; returns the changes, in order, once it is
 * stopped.
 */
function watch(url: string) {
  const seen: Health[] = [];
  let going = true;
  const watching = (async () => {
    while (going) {
      const health = await healthAt(url);
      if (seen.at(-1) !== health) seen.push(health);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  return {
    seen,
    stop: async () => {
      going = false;
      await watching;
    },
  };
}

async function healthAt(url: string): Promise<Health> {
  try {
    const response = await fetch(`${url}/ping`);
    await response.body?.cancel();
    if (response.status === 204) return "initializing";
    return response.status === 200 ? "healthy" : "unhealthy";
  } catch (error) {
    if (error instanceof TypeError) return "unhealthy";
    throw error;
  }
}

Deno.test("/ping reports a server as starting, ready, and stopping before its last response is sent", async () => {
  const port = freePort();
  const balancer = watch(`http://127.0.0.1:${port}`);
  await using server = await startServer({
    MODEL: TINY_FOLDERS.gen,
    THREADS: "1",
    PORT_HEALTH: String(port),
    SHUTDOWN_GRACE_S: "60",
  });
  await until(() => balancer.seen.at(-1) === "healthy");
  const fox = { prompt: "a fox", height: 320, width: 320 };
  const events = { accept: "text/event-stream" };
  const answer = await fetch(`${server.url}/v1/generate`, json(fox, events));
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value!;
  server.process.kill("SIGTERM");
  await until(() => balancer.seen.at(-1) === "unhealthy");
  strictEqual(text.includes("event: completed"), false);
  for (let part; !(part = await reader.read()).done;) text += part.value;
  match(text, /event: completed/);
  await balancer.stop();
  // A model this small may be ready before the first request.
  match(
    balancer.seen.join(" "),
    /^(unhealthy )?(initializing )?healthy unhealthy$/,
  );
});
