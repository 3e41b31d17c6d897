import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  bytesFrom,
  containerAllowance,
  cpusFrom,
  threadsWithin,
} from "../../../../lib/runtime/memory/cgroup_limits.ts";

const NONE = { cpus: undefined, memoryBytes: undefined };

/** Returns a reader of files by path, as in a system. */
function systemOf(files: Record<string, string>) {
  return (path: string) => files[path];
}

const UNIFIED = {
  "/proc/self/cgroup": "0::/pods/one/inner\n",
  "/proc/self/mountinfo":
    "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
};

const SEPARATE = {
  "/proc/self/cgroup":
    "4:memory:/docker/ab\n2:cpu,cpuacct:/docker/ab\n1:name=systemd:/docker/ab\n",
  "/proc/self/mountinfo": [
    "40 30 0:30 /docker/ab /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct",
    "41 30 0:31 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory",
  ].join("\n"),
};

Deno.test("cpusFrom() reads a quota as CPUs, whole or not", () => {
  const quotas = {
    "100000 100000\n": 1,
    "150000 100000\n": 1.5,
    "50000 100000": 0.5,
    "400000 50000\n": 8,
    "250000\n 100000\n": 2.5,
  };
  for (const [text, cpus] of Object.entries(quotas)) {
    strictEqual(cpusFrom(text), cpus, text);
  }
});

Deno.test("cpusFrom() and bytesFrom() return undefined if there is no limit", () => {
  const texts = ["max 100000\n", "max\n", "-1\n 100000\n", "-1", "", " ", "0"];
  const broken = ["0 100000", "100000 0", "1e5 1e5", "1 2 3", "ab cd", "0x10"];
  for (const text of [...texts, ...broken]) {
    strictEqual(cpusFrom(text), undefined, text);
    strictEqual(bytesFrom(text), undefined, text);
  }
});

Deno.test("bytesFrom() reads the kernel's format", () => {
  strictEqual(bytesFrom("2147483648\n"), 2 ** 31);
  ok(bytesFrom("9223372036854771712\n")! > 2 ** 62);
});

Deno.test("threadsWithin() rounds down, to one at least", () => {
  const threads = (cpus: number, allowed?: number) =>
    threadsWithin(cpus, { cpus: allowed });
  strictEqual(threads(8), 8);
  strictEqual(threads(8, 64), 8);
  strictEqual(threads(64, 2), 2);
  strictEqual(threads(64, 1.5), 1);
  strictEqual(threads(64, 3.999), 3);
  strictEqual(threads(64, 0.1), 1);
});

Deno.test("containerAllowance() takes the strictest of all groups above", () => {
  const allowance = containerAllowance(systemOf({
    ...UNIFIED,
    "/sys/fs/cgroup/pods/one/inner/cpu.max": "max 100000\n",
    "/sys/fs/cgroup/pods/one/cpu.max": "200000 100000\n",
    "/sys/fs/cgroup/pods/cpu.max": "800000 100000\n",
    "/sys/fs/cgroup/pods/one/inner/memory.max": "4096\n",
    "/sys/fs/cgroup/pods/one/memory.max": "max\n",
    "/sys/fs/cgroup/pods/memory.max": "8192\n",
    "/sys/fs/cgroup/other/memory.max": "1\n",
  }));
  deepStrictEqual(allowance, { cpus: 2, memoryBytes: 4096 });
});

Deno.test("containerAllowance() respects the limit at which memory stalls", () => {
  const { memoryBytes } = containerAllowance(systemOf({
    ...UNIFIED,
    "/sys/fs/cgroup/pods/one/memory.max": "4096\n",
    "/sys/fs/cgroup/pods/one/memory.high": "1024\n",
  }));
  strictEqual(memoryBytes, 1024);
});

Deno.test("containerAllowance() finds a container's own group at the mount", () => {
  const limits = {
    "/sys/fs/cgroup/cpu.max": "50000 100000\n",
    "/sys/fs/cgroup/memory.max": "1048576\n",
  };
  // In a namespace of its own; in that of the machine; and in a sibling's.
  for (const group of ["/", "/system.slice/docker-ab.scope", "/../sibling"]) {
    const system = {
      ...UNIFIED,
      ...limits,
      "/proc/self/cgroup": `0::${group}\n`,
    };
    const allowance = containerAllowance(systemOf(system));
    deepStrictEqual(allowance, { cpus: 0.5, memoryBytes: 2 ** 20 }, group);
  }
});

Deno.test("containerAllowance() reads version 1, each kind where it is mounted", () => {
  const allowance = containerAllowance(systemOf({
    ...SEPARATE,
    "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "250000\n",
    "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n",
  }));
  deepStrictEqual(allowance, { cpus: 2.5, memoryBytes: 2 ** 29 });
});

Deno.test("containerAllowance() finds no quota if version 1 has −1", () => {
  const { cpus } = containerAllowance(systemOf({
    ...SEPARATE,
    "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
    "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
  }));
  strictEqual(cpus, undefined);
});

Deno.test("containerAllowance() reads both versions if there are both", () => {
  const both = (name: keyof typeof UNIFIED) =>
    `${SEPARATE[name]}\n${UNIFIED[name]}`.replaceAll(
      " /sys/fs/cgroup rw",
      " /sys/fs/cgroup/unified rw",
    );
  const allowance = containerAllowance(systemOf({
    "/proc/self/cgroup": both("/proc/self/cgroup"),
    "/proc/self/mountinfo": both("/proc/self/mountinfo"),
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "4096\n",
    "/sys/fs/cgroup/unified/pods/cpu.max": "300000 100000\n",
  }));
  deepStrictEqual(allowance, { cpus: 3, memoryBytes: 4096 });
});

Deno.test("containerAllowance() limits nothing if nothing can be read", () => {
  deepStrictEqual(containerAllowance(() => undefined), NONE);
});

Deno.test("containerAllowance() accepts any text", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom(..."0:/.ab -\n\\1cgroup") }),
      (first, second) => {
        for (const text of [first, second]) {
          const { cpus, memoryBytes } = containerAllowance(() => text);
          ok(cpus === undefined || cpus > 0);
          ok(memoryBytes === undefined || memoryBytes > 0);
        }
      },
    ),
  );
});

Deno.test("containerAllowance() returns limits that this process can run within", () => {
  const { cpus = 1, memoryBytes = Infinity } = containerAllowance();
  ok(cpus > 0);
  ok(memoryBytes > Deno.memoryUsage().rss);
});
