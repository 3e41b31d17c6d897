import { doesNotThrow, throws } from "node:assert/strict";
import {
  checkGridPixels,
  checkGridSize,
  checkPixelSize,
} from "../../../functions/inference/image_limit.ts";

/** A vision tokenizer of which a megapixel takes 1 GiB to encode, 2 to decode. */
const vision = {
  pixelsPerCode: 8,
  runBytesPerPixel: { encode: 2 ** 10, decode: 2 ** 11 },
  deviceMemoryBytes: undefined,
  checkpoint: {
    name: "a",
    preprocessor: { minPixels: 64, maxPixels: 2 ** 20 },
  },
};

/** Limits of a process that may use `gibibytes` of memory. */
const limits = (gibibytes: number) => ({
  maxBodyBytes: 2 ** 23,
  maxPixels: 2 ** 24,
  memoryBytes: gibibytes * 2 ** 30,
});

Deno.test("checkPixelSize() refuses a picture that takes three quarters of the memory", () => {
  const size = { height: 1024, width: 1024 };
  doesNotThrow(() => checkPixelSize(size, vision, limits(1.34)));
  throws(
    () => checkPixelSize(size, vision, limits(1.2)),
    {
      name: "ImageTooLargeError",
      message:
        "Cannot read image: 1024 × 1024 pixels take 1.1 GB of memory to encode, more than the 1.0 GB for it here; send a smaller picture",
    },
  );
});

Deno.test("checkGridSize() counts the memory of decoding", () => {
  const size = { height: 128, width: 128 };
  doesNotThrow(() => checkGridSize(size, vision, limits(2.67)));
  throws(
    () => checkGridSize(size, vision, limits(2)),
    /1024 × 1024 pixels take 2\.1 GB of memory to decode, more than the 1\.6 GB/,
  );
});

Deno.test("checkGridPixels() counts pixels alone: codes that are read are not decoded", () => {
  const size = { height: 128, width: 128 };
  doesNotThrow(() => checkGridPixels(size, vision, limits(0.1)));
  throws(
    () => checkGridPixels({ height: 128, width: 129 }, vision, limits(100)),
    /1024 × 1032 pixels are 1056768, at most 1048576/,
  );
});

Deno.test("checkPixelSize() refuses more pixels than the preprocessor's, whatever memory there is", () => {
  throws(
    () => checkPixelSize({ height: 2048, width: 1024 }, vision, limits(1000)),
    /2048 × 1024 pixels are 2097152, at most 1048576 become codes/,
  );
});

Deno.test("checkPixelSize() counts a device's memory in place of the host's", () => {
  const size = { height: 1024, width: 1024 };
  const onDevice = { ...vision, deviceMemoryBytes: 16 * 2 ** 30 };
  doesNotThrow(() => checkPixelSize(size, onDevice, limits(1)));
  const onSmall = { ...vision, deviceMemoryBytes: 2 ** 30 };
  throws(() => checkPixelSize(size, onSmall, limits(16)));
});

Deno.test("checkPixelSize() and checkGridSize() have no limit without a known memory", () => {
  const costly = {
    ...vision,
    runBytesPerPixel: { encode: 2 ** 40, decode: 2 ** 40 },
  };
  const unknown = { maxBodyBytes: 2 ** 23, maxPixels: 2 ** 24 };
  doesNotThrow(() =>
    checkPixelSize({ height: 1024, width: 1024 }, costly, unknown)
  );
  doesNotThrow(() =>
    checkGridSize({ height: 128, width: 128 }, costly, unknown)
  );
});
