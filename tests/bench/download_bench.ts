/**
 * The benchmark of a download with hashes, beside curl with eight ranges of the
 * same file from the same server on this machine.
 *
 * Arguments: GiB of the file (4), rounds (3), folders (a temporary one, and one
 * in memory if the system has that). curl writes its parts into files and
 * hashes nothing; a download ends only once the disk has it, so curl is
 * measured with a sync, too. CPU seconds are those of the whole process, its
 * start included: other programs on the machine do not increase them.
 *
 * @module
 */

import { join } from "node:path";

const GIBIBYTE = 2 ** 30;
const RANGES = 8;
const CURL = `curl, ${RANGES} ranges`;
const SYNCED = `${CURL}, then sync`;
const FILE = "org/large/resolve/main/model.safetensors";

/** The cost of a command. */
interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes?: number;
}

const [gibibytes = "4", rounds = "3", ...given] = Deno.args;
const bytes = Number(gibibytes) * GIBIBYTE;
const folders = given.length > 0 ? given : [
  Deno.env.get("TMPDIR") ?? "/tmp",
  ...await isFolder("/dev/shm") ? ["/dev/shm"] : [],
];
const server = new Deno.Command(Deno.execPath(), {
  args: ["run", "-q", "-A", script("download_server.ts"), gibibytes],
  stdout: "piped",
}).spawn();
try {
  const { value } = await server.stdout.getReader().read();
  const endpoint = new TextDecoder().decode(value).trim();
  for (const folder of folders) {
    say(`${gibibytes} GiB over loopback into ${folder}, best of ${rounds}`);
    await compare(endpoint, folder);
  }
} finally {
  server.kill("SIGKILL");
  await server.status;
}

async function compare(endpoint: string, folder: string): Promise<void> {
  const costs = new Map<string, Cost[]>();
  const note = (name: string, cost: Cost) =>
    costs.set(name, [...costs.get(name) ?? [], cost]);
  // Contenders alternate, so that other load on the machine meets all alike.
  for (let round = 0; round < Number(rounds); round++) {
    const own = await Deno.makeTempDir({ dir: folder, prefix: "emu3_bench_" });
    try {
      const { done, synced } = await curl(endpoint, join(own, "curl"));
      note(CURL, done);
      note(SYNCED, synced);
      for (const workers of [0, 1, 2]) {
        const name = workers === 0
          ? "ours, main thread"
          : `ours, ${workers} workers`;
        note(name, await ours(endpoint, join(own, "cache"), workers));
      }
    } finally {
      await Deno.remove(own, { recursive: true });
    }
  }
  const least = (name: string, of: (cost: Cost) => number) =>
    Math.min(...costs.get(name)!.map(of));
  for (const [name, all] of costs) {
    const seconds = least(name, (cost) => cost.seconds);
    const ratio = least(CURL, (cost) => cost.seconds) / seconds;
    const cpu = GIBIBYTE * least(name, (cost) => cost.cpuSeconds) / bytes;
    const peak = Math.max(...all.map(({ peakBytes }) => peakBytes ?? 0));
    const rate = bytes / GIBIBYTE / seconds;
    say(
      `${name.padEnd(24)} ${rate.toFixed(2)} GiB/s  ${
        ratio.toFixed(2)
      } of curl  ${cpu.toFixed(2)} s of computing a GiB${
        peak === 0 ? "" : `  ${Math.round(peak / 1e6)} MB at most`
      }`,
    );
  }
}

async function curl(
  endpoint: string,
  folder: string,
): Promise<{ done: Cost; synced: Cost }> {
  await Deno.mkdir(folder);
  const length = Math.ceil(bytes / RANGES);
  const commands = Array.from({ length: RANGES }, (_, i) => {
    const last = Math.min(bytes, (i + 1) * length) - 1;
    return `curl -sf -r ${
      i * length
    }-${last} -o '${folder}/${i}' '${endpoint}/${FILE}'`;
  });
  const begin = performance.now();
  const { cost: done } = await measured(
    `${commands.map((command) => `${command} & `).join("")} wait`,
  );
  for (let i = 0; i < RANGES; i++) {
    const { size } = await Deno.stat(join(folder, `${i}`));
    if (size !== Math.min(length, bytes - i * length)) {
      throw new Error("curl failed");
    }
    using part = await Deno.open(join(folder, `${i}`), { write: true });
    await part.syncData();
  }
  const seconds = (performance.now() - begin) / 1000;
  await Deno.remove(folder, { recursive: true });
  return { done, synced: { ...done, seconds } };
}

async function ours(
  endpoint: string,
  cache: string,
  workers: number,
): Promise<Cost> {
  const client = script("download_client.ts");
  const { cost, text } = await measured(
    `'${Deno.execPath()}' run -q -A '${client}' '${endpoint}' '${cache}' ${workers} ${RANGES}`,
  );
  await Deno.remove(cache, { recursive: true });
  // Without the start of the process: a server is running anyway.
  const { seconds, peakBytes } = JSON.parse(text.split("\n")[0]!);
  return { ...cost, seconds, peakBytes };
}

/** Runs `command` in a shell, which reports the times of its children. */
async function measured(
  command: string,
): Promise<{ cost: Cost; text: string }> {
  const begin = performance.now();
  const { stdout, success } = await new Deno.Command("sh", {
    args: ["-c", `${command}\n[ $? = 0 ] && times`],
    stderr: "inherit",
  }).output();
  const seconds = (performance.now() - begin) / 1000;
  if (!success) throw new Error(`Cannot measure: ${command} failed`);
  const text = new TextDecoder().decode(stdout);
  const children = text.trim().split("\n").at(-1)!;
  const cpuSeconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)]
    .reduce((sum, [, m, s]) => sum + 60 * Number(m) + Number(s), 0);
  return { cost: { seconds, cpuSeconds }, text };
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then((it) => it.isDirectory, () => false);
}

function script(name: string): string {
  return new URL(`./${name}`, import.meta.url).pathname;
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
