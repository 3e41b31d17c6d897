import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  ImageError,
  ImageTooLargeError,
  RuntimeError,
} from "../../../../lib/errors.ts";
import { inPlaceCodec } from "../../../../lib/image/picture_codec.ts";
import { openPicturePool } from "../../../../lib/image/threads/picture_pool.ts";
import { plainPng } from "../../../support/bombs.ts";
import { goldenBytes, paint } from "../../../support/pictures.ts";
import { until } from "../../../support/until.ts";

const now = () => performance.now();
const options = { decode: "display", maxPixels: 1_000_000 } as const;
const image = paint(20, 30, (y, x) => [8 * x, 12 * y, 7]);

Deno.test("PicturePool returns the results of the codec in place", async () => {
  await using pool = openPicturePool({ now });
  const jpeg = goldenBytes("preprocess/gray.jpg");
  const gif = goldenBytes("preprocess/animated.gif");
  const pairs = [pool, inPlaceCodec].map((codec) =>
    Promise.all([
      codec.decodeImage(jpeg, options),
      codec.decodeFrames(gif, options),
      codec.resize(image, { height: 7, width: 41 }),
      codec.encodePng(image, { text: { Seed: "1" } }),
      codec.encodeJpeg(image, { quality: 80 }),
      codec.encodeWebp(image, { quality: 80 }),
      codec.encodeGif(image, { framesPerSecond: 8 }),
    ])
  );
  const [there, here] = await Promise.all(pairs);
  deepStrictEqual(there?.map(plain), here?.map(plain));
});

Deno.test("PicturePool leaves its arguments unchanged", async () => {
  await using pool = openPicturePool({ now });
  const bytes = goldenBytes("preprocess/rgb.png");
  const length = bytes.length;
  await pool.decodeImage(bytes, options);
  await pool.encodePng(image, {});
  strictEqual(bytes.length, length);
  strictEqual(image.pixels.length, 20 * 30 * 3);
});

Deno.test("PicturePool throws the codec's own errors", async () => {
  await using pool = openPicturePool({ now });
  const png = goldenBytes("preprocess/rgb.png");
  const bmp = goldenBytes("preprocess/bmp24.bmp");
  await rejects(
    pool.decodeImage(bmp, options),
    (error) =>
      error instanceof ImageError &&
      error.message.startsWith("Cannot read image: it is BMP"),
  );
  const small = { decode: "display", maxPixels: 5 } as const;
  await rejects(pool.decodeImage(png, small), ImageTooLargeError);
  await rejects(pool.encodeJpeg(image, { quality: 0 }), RangeError);
});

Deno.test("PicturePool drops a call that exceeds its work, and continues", async () => {
  const lost: string[] = [];
  await using pool = openPicturePool({
    now,
    deadlineMs: 100,
    deadlineMsPerPixel: 0,
    onLoss: (method, how) => lost.push(`${method} ${how}`),
  });
  const bytes = await plainPng(5000, 5000);
  const large = { decode: "display", maxPixels: 25e6 } as const;
  await rejects(
    pool.decodeImage(bytes, large),
    (error) =>
      error instanceof ImageError &&
      /longer to process than expected/.test(error.message),
  );
  const frame = paint(3000, 1500, (y, x) => [x, y, x * y]);
  await rejects(
    pool.encodeGif(frame, { framesPerSecond: 8 }),
    (error) => error instanceof RuntimeError,
  );
  deepStrictEqual(lost, ["decodeImage late", "encodeGif late"]);
  deepStrictEqual(pool.state().lost, {
    late: 2,
    stalled: 0,
    crashed: 0,
    abandoned: 0,
  });
  strictEqual(pool.state().running, 0);
});

Deno.test("PicturePool lets a small picture pass any number of large ones", async () => {
  await using pool = openPicturePool({ now, threads: 2 });
  const png = await plainPng(3000, 4000);
  const large = { decode: "display", maxPixels: 12e6 } as const;
  const order: string[] = [];
  const decode = async (name: string, bytes: Uint8Array, caller: string) => {
    await pool.decodeImage(bytes, large, { caller });
    order.push(name);
  };
  const small = goldenBytes("preprocess/rgb.png");
  await Promise.all([
    ...["a", "b", "c"].map((name) => decode(`large ${name}`, png, name)),
    decode("small", small, "d"),
  ]);
  deepStrictEqual(order, ["small", "large a", "large b", "large c"]);
});

Deno.test("PicturePool ends idle threads, and calls work afterwards", async () => {
  await using pool = openPicturePool({ now, threads: 3, idleMs: 1 });
  const png = await plainPng(2000, 2000);
  const large = { decode: "display", maxPixels: 4e6 } as const;
  for (let round = 0; round < 2; round++) {
    const decoded = await Promise.all(
      Array.from({ length: 4 }, () => pool.decodeImage(png, large)),
    );
    strictEqual(decoded.length, 4);
    await until(() => pool.state().started <= 1);
  }
  const { started, running, waiting, threads } = pool.state();
  ok(started <= 1);
  deepStrictEqual([running, waiting, threads], [0, 0, 3]);
});

Deno.test("PicturePool refuses calls once it is closed", async () => {
  const pool = openPicturePool({ now });
  const before = pool.encodePng(image, {});
  await pool[Symbol.asyncDispose]();
  deepStrictEqual(await before, await inPlaceCodec.encodePng(image, {}));
  await rejects(pool.encodePng(image, {}), TypeError);
});

Deno.test("PicturePool releases a call whose signal aborts while it waits", async () => {
  await using pool = openPicturePool({ now });
  const png = await plainPng(2000, 2000);
  const large = { decode: "display", maxPixels: 4e6 } as const;
  const before = pool.decodeImage(png, large);
  const leave = new AbortController();
  const waiting = pool.decodeImage(png, large, leave);
  let decoded = false;
  before.then(() => decoded = true);
  leave.abort(new Error("gone"));
  await rejects(waiting, /gone/);
  strictEqual(decoded, false);
  await before;
});

Deno.test("PicturePool abandons a running call when its signal aborts, and continues", async () => {
  await using pool = openPicturePool({ now });
  // Longer than the duration of the test.
  const frame = paint(3000, 1500, (y, x) => [x, y, x * y]);
  const leave = new AbortController();
  const running = pool.encodeGif(frame, { framesPerSecond: 8 }, leave);
  const next = pool.encodePng(image, {});
  await until(() => pool.state().started > 0);
  leave.abort(new Error("gone"));
  await rejects(running, /gone/);
  deepStrictEqual(await next, await inPlaceCodec.encodePng(image, {}));
});

Deno.test("PicturePool decodes and resizes in one call", async () => {
  await using pool = openPicturePool({ now });
  const bytes = goldenBytes("preprocess/rgb.png");
  const size = { height: 24, width: 16 };
  const whole = await inPlaceCodec.decodeImage(bytes, options);
  deepStrictEqual(
    await pool.decodeImage(bytes, { ...options, size }),
    await inPlaceCodec.resize(whole, size),
  );
});

/**
 * Returns bytes and pixels as plain numbers: a Buffer equals an array of the
 * same bytes.
 */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array || value instanceof Uint8ClampedArray) {
    return [...value];
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, plain(inner)]),
  );
}

Deno.test("PicturePool settles every call, despite aborts and damage", async () => {
  await using pool = openPicturePool({ now, threads: 3, idleMs: 0 });
  const large = await plainPng(1200, 1200);
  const small = goldenBytes("preprocess/rgb.png");
  const damaged = large.slice(0, large.length / 2);
  const expected = await inPlaceCodec.decodeImage(small, options);
  const taken = { decode: "display", maxPixels: 2e6 } as const;
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const leave = new AbortController();
      const bytes = [small, large, damaged, small][i % 4]!;
      const caller = `${i % 3}`;
      const { signal } = leave;
      const decoded = pool.decodeImage(bytes, taken, { caller, signal });
      if (i % 5 === 0) leave.abort(new Error("gone"));
      else if (i % 7 === 0) setTimeout(() => leave.abort(new Error("gone")), i);
      try {
        const { height, pixels } = await decoded;
        strictEqual(height, bytes === small ? expected.height : 1200);
        if (bytes === small) deepStrictEqual(pixels, expected.pixels);
        return "decoded";
      } catch (error) {
        if (leave.signal.aborted) strictEqual((error as Error).message, "gone");
        else ok(bytes === damaged && error instanceof ImageError);
        return "refused";
      }
    }),
  );
  ok(outcomes.filter((outcome) => outcome === "decoded").length > 10);
  const { running, waiting, lost } = pool.state();
  deepStrictEqual([running, waiting], [0, 0]);
  deepStrictEqual([lost.late, lost.stalled, lost.crashed], [0, 0, 0]);
});
