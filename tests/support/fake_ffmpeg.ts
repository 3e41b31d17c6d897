/**
 * Scripts in place of ffmpeg, which print what it would.
 *
 * @module
 */

import { type TemporaryFolder, temporaryFolder } from "./temporary_folder.ts";

/** The parts of a script. */
export interface FakeFfmpeg {
  /** Lines that describe the file, on the error output. */
  readonly description?: string;
  /** Commands of the shell that decode; by default four frames. */
  readonly decode?: string;
  /** Output of the list of demuxers. */
  readonly demuxers?: string;
}

/** A program in a folder of its own. */
export interface FakeProgram extends Disposable {
  /** Path of the program. */
  readonly path: string;
  /** Returns the arguments of its calls since its last change, one line each. */
  calls(): string[];
  /** Changes what the program prints; parts that are left out are defaults. */
  change(parts: FakeFfmpeg): void;
  /** Folder of the program. */
  readonly folder: TemporaryFolder;
}

/** A description of a video of 32 × 48 pixels, 2 seconds at 4 frames. */
export const DESCRIPTION = `Input #0, mov,mp4, from 'file:video':
  Duration: 00:00:02.00, start: 0.000000, bitrate: 1 kb/s
  Stream #0:0: Video: h264, yuv420p, 48x32, 4 fps, 4 tbr, 4 tbn`;

/** Beginning of a file of MP4, as large as it says. */
export const MP4: Uint8Array<ArrayBuffer> = new TextEncoder().encode(
  "\0\0\0\x10ftypisom\0\0\0\0",
);

/** Returns shell commands that print `count` frames of 32 × 48 pixels. */
export function printFrames(count: number): string {
  return `for i in $(seq ${count}); do printf 'P6\\n48 32\\n255\\n'; head -c 4608 /dev/zero | tr '\\0' "\\\\$i"; done`;
}

const DEMUXERS = " D  matroska,webm   Matroska\n D  mov,mp4,m4a    QuickTime";

/** Writes a program. */
export async function fakeFfmpeg(
  parts: FakeFfmpeg = {},
): Promise<FakeProgram> {
  const folder = temporaryFolder();
  const change = (
    {
      description = DESCRIPTION,
      decode = printFrames(4),
      demuxers = DEMUXERS,
    }: FakeFfmpeg,
  ) => {
    folder.write("demuxers", demuxers);
    folder.write("description", description);
    folder.write("decode", decode);
    folder.write("calls", "");
  };
  change(parts);
  const path = folder.write(
    "ffmpeg",
    `#!/bin/sh
here=$(dirname "$0")
case "$*" in
  *-demuxers) cat "$here/demuxers"; exit;;
  *-encoders) exit;;
esac
echo "$*" >> "$here/calls"
case "$*" in
  *-map*) ;;
  *) cat "$here/description" >&2; exit 1;;
esac
. "$here/decode"
`,
  );
  await Deno.chmod(path, 0o755);
  return {
    path,
    folder,
    calls: () =>
      Deno.readTextFileSync(`${folder.path}/calls`).split("\n").slice(0, -1),
    change,
    [Symbol.dispose]: folder[Symbol.dispose],
  };
}
