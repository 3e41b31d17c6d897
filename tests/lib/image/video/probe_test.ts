import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { parseProbe } from "../../../../lib/image/video/probe.ts";

/** Returns the description of a file with one video stream. */
function described(stream: string, duration = "00:01:02.50"): string {
  return `Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/tmp/video':
  Metadata:
    major_brand     : isom
  Duration: ${duration}, start: 0.000000, bitrate: 136 kb/s
  Stream #0:0[0x1](und): Audio: aac (LC), 44100 Hz, mono, fltp (default)
  Stream #0:1[0x2](und): ${stream}
At least one output file must be specified`;
}

const upright = { upright: true };

Deno.test("parseProbe() reads size, duration and rate", () => {
  const streams = [
    "Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709, progressive), 1920x1080 [SAR 1:1 DAR 16:9], 131 kb/s, 29.97 fps, 29.97 tbr, 30k tbn (default)",
    "Video: vp9 (Profile 0), yuv420p(tv), 1920x1080, SAR 1:1 DAR 16:9, 29.97 fps, 29.97 tbr, 1k tbn",
    "Video: h264 (0x31323334x), yuv420p, 1920x1080, 1k fps, 29.97 tbr, 1k tbn",
  ];
  for (const stream of streams) {
    deepStrictEqual(parseProbe(described(stream), upright), {
      height: 1080,
      width: 1920,
      durationSeconds: 62.5,
      framesPerSecond: 29.97,
    });
  }
});

Deno.test("parseProbe() leaves out a duration and a rate that are not stated", () => {
  const stream = "Video: vp8, yuv420p(progressive), 640x480, 1k tbr, 1k tbn";
  deepStrictEqual(parseProbe(described(stream, "N/A"), upright), {
    height: 480,
    width: 640,
    durationSeconds: undefined,
    framesPerSecond: undefined,
  });
});

Deno.test("parseProbe() swaps the sides of a turned video that is shown upright", () => {
  const side = (degrees: string) =>
    `Video: h264, yuv420p, 160x120, 25 fps
    Side data:
      displaymatrix: rotation of ${degrees} degrees`;
  const sides = (degrees: string, upright: boolean) => {
    const header = parseProbe(described(side(degrees)), { upright });
    return typeof header === "string" ? header : [header.height, header.width];
  };
  for (const degrees of ["90.00", "-90.00", "270.00"]) {
    deepStrictEqual(sides(degrees, true), [160, 120]);
    deepStrictEqual(sides(degrees, false), [120, 160]);
  }
  deepStrictEqual(sides("180.00", true), [120, 160]);
});

Deno.test("parseProbe() says why there is no header", () => {
  strictEqual(
    parseProbe("file:/tmp/video: Invalid data found", upright),
    "unreadable",
  );
  strictEqual(parseProbe(described("Audio: mp3"), upright), "no-video");
  strictEqual(
    parseProbe(described("Video: png, rgb24, 9x9 (attached pic)"), upright),
    "no-video",
  );
  strictEqual(
    parseProbe(described("Video: none (xyz1 / 0x317A7978), 25 fps"), upright),
    "unknown-codec",
  );
});

Deno.test("parseProbe() takes no metadata for a stream", () => {
  // As ffmpeg prints a title of several lines.
  const title = `Input #0, mov, from 'file:/tmp/video':
  Metadata:
    title           : mine
                    :   Duration: 00:00:01.00
                    :   Stream #0:0: Video: h264, yuv420p, 8x8, 1 fps
`;
  const [, ...rest] = described("Video: vp8, yuv420p, 640x480, 5 fps")
    .split("\n");
  deepStrictEqual(parseProbe(title + rest.join("\n"), upright), {
    height: 480,
    width: 640,
    durationSeconds: 62.5,
    framesPerSecond: 5,
  });
});
