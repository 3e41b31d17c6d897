/**
 * How fast a download with hashes is, beside curl with eight ranges of the same
 * file from the same server on this machine.
 *
 * Arguments: GiB of the file (4), rounds (3). curl writes its parts into files
 * and hashes nothing; a download is not over before the disk has it, so there is
 * curl with a wait for that, too. `TMPDIR` says on which disk.
 *
 * @module
 */

import { join } from "node:path";

const GIBIBYTE = 2 ** 30;
const CURLS = 8;
const CURL = `curl, ${CURLS} ranges`;

const bytes = Number(Deno.args[0] ?? 4) * GIBIBYTE;
const rounds = Number(Deno.args[1] ?? 3);
const folder = await Deno.makeTempDir({ prefix: "emu3_download_bench_" });
const file = join(folder, "served.bin");
await writeNoise(file, bytes);
const server = new Deno.Command(Deno.execPath(), {
  args: ["run", "-q", "-A", script("download_server.ts"), file],
  stdout: "piped",
}).spawn();
try {
  const { value } = await server.stdout.getReader().read();
  const endpoint = new TextDecoder().decode(value).trim();
  say(`${bytes / GIBIBYTE} GiB over loopback, GiB/s, best of ${rounds}`);
  const times: Record<string, number[]> = {};
  const costs: Record<string, string> = {};
  const note = (name: string, seconds: number) =>
    (times[name] ??= []).push(seconds);
  // Round by round, so that what else the machine does meets all alike.
  for (let round = 0; round < rounds; round++) {
    const { seconds, syncedSeconds } = await curl(endpoint);
    note(CURL, seconds);
    note(`${CURL}, then sync`, syncedSeconds);
    for (const workers of [0, 1, 2]) {
      const run = await ours(endpoint, workers, CURLS);
      const name = workers === 0
        ? "ours, main thread"
        : `ours, ${workers} workers`;
      note(name, run.seconds);
      // What other programs on the machine cannot make slower.
      costs[name] = `, ${
        (GIBIBYTE * run.cpuSeconds / bytes).toFixed(1)
      } s of computing a GiB, ${Math.round(run.peakBytes / 1e6)} MB`;
    }
  }
  const best = (name: string) => Math.min(...times[name]!);
  const curlSeconds = best(CURL);
  for (const name of Object.keys(times)) {
    const rate = bytes / GIBIBYTE / best(name);
    say(
      `${name.padEnd(24)} ${rate.toFixed(2)}  ${
        (curlSeconds / best(name)).toFixed(2)
      } of curl${costs[name] ?? ""}`,
    );
  }
} finally {
  server.kill("SIGKILL");
  await server.status;
  await Deno.remove(folder, { recursive: true });
}

async function curl(
  endpoint: string,
): Promise<{ seconds: number; syncedSeconds: number }> {
  const parts = join(folder, "curl");
  await Deno.mkdir(parts);
  const length = Math.ceil(bytes / CURLS);
  const begin = performance.now();
  const done = await Promise.all(
    Array.from({ length: CURLS }, (_, i) =>
      new Deno.Command("curl", {
        args: [
          "-sf",
          "-r",
          `${i * length}-${Math.min(bytes, (i + 1) * length) - 1}`,
          "-o",
          join(parts, `${i}`),
          `${endpoint}/org/large/resolve/main/model.safetensors`,
        ],
      }).spawn().status),
  );
  const seconds = (performance.now() - begin) / 1000;
  if (done.some(({ success }) => !success)) throw new Error("curl failed");
  for (let i = 0; i < CURLS; i++) {
    using part = await Deno.open(join(parts, `${i}`), { write: true });
    await part.syncData();
  }
  const syncedSeconds = (performance.now() - begin) / 1000;
  await Deno.remove(parts, { recursive: true });
  return { seconds, syncedSeconds };
}

async function ours(
  endpoint: string,
  workers: number,
  connections: number,
): Promise<{ seconds: number; cpuSeconds: number; peakBytes: number }> {
  const cache = join(folder, "cache");
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "-A",
      script("download_client.ts"),
      endpoint,
      cache,
      `${workers}`,
      `${connections}`,
    ],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("the download failed");
  await Deno.remove(cache, { recursive: true });
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Bytes that no disk and no line makes smaller. */
async function writeNoise(path: string, count: number): Promise<void> {
  using out = await Deno.open(path, { write: true, create: true });
  const block = new Uint8Array(2 ** 24);
  for (let i = 0; i < block.length; i += 65_536) {
    crypto.getRandomValues(block.subarray(i, i + 65_536));
  }
  for (let at = 0; at < count; at += block.length) {
    block[0] = at / block.length;
    await out.write(block.subarray(0, Math.min(block.length, count - at)));
  }
}

function script(name: string): string {
  return new URL(`./${name}`, import.meta.url).pathname;
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
