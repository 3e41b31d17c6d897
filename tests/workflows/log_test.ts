/**
 * The logs of the service and of Restate, over chains that succeed and fail.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { startStack } from "./harness/stack.ts";

Deno.test("no log holds a prompt, and lines of the service are JSON", async () => {
  await using stack = await startStack();
  const secret = "a prompt that is secret";
  for (
    const [key, input, status] of [
      ["good", { prompt: secret }, 200],
      ["refused", { prompt: "refuse" }, 422],
      ["invalid", { prompt: secret, [secret]: 1 }, 422],
    ] as const
  ) {
    const answer = await stack.post(`imagine/${key}/run`, input);
    strictEqual(answer.status, status, await answer.text());
  }
  await stack.emu3.kill();
  const sent = await stack.post("imagine/away/run/send", { prompt: secret });
  strictEqual(sent.status, 202, await sent.text());
  await stack.emu3.start();
  const away = `${stack.ingress}/restate/workflow/imagine/away/attach`;
  const answer = await fetch(away);
  strictEqual(answer.status, 200, await answer.text());

  const { service, restate } = stack;
  deepStrictEqual(
    [...service.lines, ...restate.lines].filter((line) =>
      line.includes("secret")
    ),
    [],
  );
  const [ready, ...events] = service.lines.toSorted((a, b) =>
    Number(a.startsWith("{")) - Number(b.startsWith("{"))
  );
  ok(ready!.startsWith("chains ready at"));
  const parsed = events.map((line) => JSON.parse(line));
  ok(parsed.every(({ time, level }) => Date.parse(time) && level));
  const ends = parsed.filter(({ target }) => target?.startsWith("imagine/"));
  ok(ends.length > 0);
});
