import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { CPU_PROVIDER } from "../../../lib/runtime/provider.ts";
import { SizedSessions } from "../../../lib/vision/sized_sessions.ts";
import { openTinyVision } from "../../support/tiny.ts";
import { paint } from "../../support/pictures.ts";

/** A session that records the sizes that it has run. */
class Recorded implements AsyncDisposable {
  closed = 0;

  [Symbol.asyncDispose](): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

const sizes = fc.array(fc.constantFrom("a", "b", "c", "d", "e"), {
  minLength: 1,
  maxLength: 40,
});

Deno.test("SizedSessions opens at most as many sessions as its limit, and closes each once", async () => {
  await fc.assert(fc.asyncProperty(
    sizes,
    fc.integer({ min: 1, max: 4 }),
    async (sizes, limit) => {
      const opened: Recorded[] = [];
      const open = () => {
        opened.push(new Recorded());
        return Promise.resolve(opened.at(-1)!);
      };
      const sessions = new SizedSessions(open, limit);
      for (const size of sizes) await sessions.get(size);
      strictEqual(opened.length, Math.min(limit, new Set(sizes).size));
      deepStrictEqual(
        new Set(opened.map(({ closed }) => closed)),
        new Set([0]),
      );
      await sessions[Symbol.asyncDispose]();
      deepStrictEqual(
        new Set(opened.map(({ closed }) => closed)),
        new Set([1]),
      );
    },
  ));
});

Deno.test("SizedSessions returns the same session for a size that is among the last ones", async () => {
  await fc.assert(fc.asyncProperty(
    sizes,
    fc.integer({ min: 1, max: 4 }),
    async (sizes, limit) => {
      const sessions = new SizedSessions(
        () => Promise.resolve(new Recorded()),
        limit,
      );
      const last = new Map<string, Recorded>();
      for (const [i, size] of sizes.entries()) {
        const session = await sessions.get(size);
        const before = sizes.lastIndexOf(size, i - 1);
        const since = i === 0 || before < 0
          ? Infinity
          : new Set(sizes.slice(before, i)).size;
        if (since <= limit) strictEqual(session, last.get(size));
        last.set(size, session);
      }
    },
  ));
});

Deno.test("A session that was opened without a size runs the first one", async () => {
  let opened = 0;
  const sessions = new SizedSessions(() => {
    opened++;
    return Promise.resolve(new Recorded());
  }, 3);
  const loaded = await sessions.get();
  strictEqual(await sessions.get("a"), loaded);
  strictEqual(opened, 1);
  strictEqual(await sessions.get(), loaded);
});

Deno.test("A session that fails to open is opened again by the next call", async () => {
  let attempts = 0;
  const sessions = new SizedSessions(() => {
    attempts++;
    return attempts === 1
      ? Promise.reject(new Error("no memory"))
      : Promise.resolve(new Recorded());
  }, 1);
  await rejects(sessions.get("a"), /no memory/);
  ok(await sessions.get("a"));
  strictEqual(attempts, 2);
});

Deno.test("If another session does not fit, its size runs in one that is open", async () => {
  let attempts = 0;
  const sessions = new SizedSessions(() => {
    attempts++;
    return attempts <= 2
      ? Promise.resolve(new Recorded())
      : Promise.reject(new Error("no memory"));
  }, 4);
  const opened = [await sessions.get("a"), await sessions.get("b")];
  ok(opened.includes(await sessions.get("c")));
  ok(opened.includes(await sessions.get("d")));
  strictEqual(attempts, 3, "it is not tried again");
});

Deno.test("encode() returns the same codes with a session for each size", async () => {
  const preparing = { ...CPU_PROVIDER, preparesShapes: true };
  await using plain = await openTinyVision();
  await using sized = await openTinyVision(undefined, preparing);
  await sized.vision.load("encode");
  const sessions = () => sized.runtime.alive["Session"]!;
  const loaded = sessions();
  const pictures = [32, 48, 64, 40, 32].map((side) =>
    paint(side, side, (y, x) => [y, x, y ^ x])
  );
  for (const picture of pictures) {
    deepStrictEqual(
      await sized.vision.encode(picture),
      await plain.vision.encode(picture),
    );
  }
  // The loaded sessions of both graphs run the first size; three are kept.
  strictEqual(sessions(), loaded + 2 * 2);
});
