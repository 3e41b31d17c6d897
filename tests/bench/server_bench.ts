/**
 * The benchmark of the server at its defaults: from the start to ready, and a
 * picture from a prompt.
 *
 * @module
 */

import { startServer } from "../support/server.ts";
import { best, type Row } from "./timing.ts";

/** Count of timed starts and pictures. */
const RUNS = 5;

const REQUEST = {
  prompt: "a cat on a blue background",
  ratio: "1:1",
  "guidance_scale": 2,
  seed: 1,
};

/** Times starts and guided 16 × 16 pictures of the embedded model. */
export async function benchServer(): Promise<Row[]> {
  const start = await best(RUNS, async () => {
    await using _ = await startServer();
  });
  await using server = await startServer();
  const draw = async (accept: string) => {
    const response = await fetch(`${server.url}/v1/generate`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: accept },
      body: JSON.stringify(REQUEST),
    });
    if (!response.ok) throw new Error(await response.text());
    await response.arrayBuffer();
  };
  return [
    { name: "emu3-mini: start to ready and stop", seconds: start },
    {
      name: "emu3-mini: guided 16 × 16 picture over HTTP, PNG",
      seconds: await best(RUNS, () => draw("image/png")),
    },
    {
      name: "emu3-mini: its codes alone",
      seconds: await best(RUNS, () => draw("application/octet-stream")),
    },
  ];
}
