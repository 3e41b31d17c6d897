import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { Hono } from "hono";
import type { AppEnv } from "../../../functions/http/context.ts";
import { Readers } from "../../../functions/jobs/store/readers.ts";
import { UnreadAnswersError } from "../../../functions/http/errors/errors.ts";
import {
  PIECE_BYTES,
  piecesOfBytes,
} from "../../../functions/http/connection/paced_body.ts";
import {
  countUnsent,
  hold,
  pacedAnswer,
  UnsentAnswers,
} from "../../../functions/middleware/unsent.ts";

const MIB = 2 ** 20;

/** Returns an application that answers with as many bytes as requested. */
function sender(unsent: UnsentAnswers): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("caller", c.req.header("from") ?? "a");
    c.set("abandon", new AbortController());
    await next();
  });
  app.use(countUnsent(unsent));
  app.post("/:size", (c) => {
    c.header("x-kept", "yes");
    const bytes = new Uint8Array(Number(c.req.param("size")));
    if (bytes.length <= PIECE_BYTES) return c.body(bytes, 201);
    const body = pacedAnswer(c, piecesOfBytes(bytes), hold(c, bytes.length));
    return c.body(body, 201, { "content-length": `${bytes.length}` });
  });
  app.onError((error, c) =>
    c.text(error.name, error instanceof UnreadAnswersError ? 429 : 500)
  );
  return app;
}

Deno.test("UnsentAnswers refuses unread answers over the limit, until they are read or dropped", async () => {
  const unsent = new UnsentAnswers(4 * MIB);
  const app = sender(unsent);
  const ask = (from = "a") =>
    app.request(`/${MIB}`, { method: "POST", headers: { from } });
  const kept = [await ask(), await ask(), await ask(), await ask()];
  strictEqual((await ask()).status, 429);
  // Another caller has room.
  const other = await ask("b");
  strictEqual(other.status, 201);
  strictEqual(other.headers.get("x-kept"), "yes");
  strictEqual(other.headers.get("content-length"), `${MIB}`);
  deepStrictEqual(await other.bytes(), new Uint8Array(MIB));
  strictEqual((await kept[0]!.bytes()).length, MIB);
  await kept[1]!.body!.cancel();
  const [third, fourth] = [await ask(), await ask()];
  strictEqual(third.status, 201);
  for (const answer of [third, fourth, ...kept.slice(2)]) {
    await answer.body!.cancel();
  }
  strictEqual(unsent.bytes, 0);
});

Deno.test("countUnsent() does not count small answers", async () => {
  const unsent = new UnsentAnswers(1);
  const answer = await sender(unsent).request("/1000", { method: "POST" });
  strictEqual(answer.status, 201);
  strictEqual(answer.headers.get("x-kept"), "yes");
  strictEqual((await answer.bytes()).length, 1000);
});

Deno.test("Readers admits readers up to the limits of a job and a caller", () => {
  const readers = new Readers({ ofJob: 3, ofCaller: 6 });
  const leave = [1, 2, 3].map(() => readers.enter("a", "one"));
  throws(() => readers.enter("b", "one"), UnreadAnswersError);
  for (let i = 0; i < 3; i++) leave.push(readers.enter("a", `job ${i}`));
  throws(() => readers.enter("a", "more"), UnreadAnswersError);
  // A new caller has room.
  readers.enter("b", "more")();
  strictEqual(readers.of("one"), 3);
  for (const one of leave) one();
  strictEqual(readers.of("one"), 0);
  ok(readers.enter("b", "one"));
});
