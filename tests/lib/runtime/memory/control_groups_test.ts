import { deepStrictEqual } from "node:assert/strict";
import { groupFolders } from "../../../../lib/runtime/memory/control_groups.ts";

Deno.test("groupFolders() lists the folders from a group up to the mount", () => {
  const texts = {
    groups: "0::/a/b.slice/c\n",
    mounts: "1 0 0:1 / /g rw - cgroup2 none rw",
  };
  deepStrictEqual(groupFolders(texts, "cpu"), [
    "/g/a/b.slice/c",
    "/g/a/b.slice",
    "/g/a",
    "/g",
  ]);
});

Deno.test("groupFolders() looks below the group that is mounted", () => {
  const texts = {
    groups: "3:memory:/pods/a/b\n",
    mounts: "1 0 0:1 /pods/a /g rw opt:1 opt:2 - cgroup none rw,memory",
  };
  deepStrictEqual(groupFolders(texts, "memory"), ["/g/b", "/g"]);
});

Deno.test("groupFolders() does not confuse a group with one whose name it begins with", () => {
  const texts = {
    groups: "3:memory:/pods/ab\n",
    mounts: "1 0 0:1 /pods/a /g rw - cgroup none rw,memory",
  };
  deepStrictEqual(groupFolders(texts, "memory"), ["/g"]);
});

Deno.test("groupFolders() keeps kinds of version 1 apart", () => {
  const texts = {
    groups: "3:cpuset:/s\n2:cpu,cpuacct:/c\n1:memory:/m\n",
    mounts: [
      "1 0 0:1 / /set rw - cgroup none rw,cpuset",
      "2 0 0:1 / /cpu rw - cgroup none rw,cpu,cpuacct",
      "3 0 0:1 / /mem rw - cgroup none rw,memory",
    ].join("\n"),
  };
  deepStrictEqual(groupFolders(texts, "cpu"), ["/cpu/c", "/cpu"]);
  deepStrictEqual(groupFolders(texts, "memory"), ["/mem/m", "/mem"]);
});

Deno.test("groupFolders() reads names with spaces and colons", () => {
  const texts = {
    groups: "0::/my app:1\n",
    mounts: "1 0 0:1 / /my\\040groups rw - cgroup2 none rw",
  };
  deepStrictEqual(groupFolders(texts, "cpu"), [
    "/my groups/my app:1",
    "/my groups",
  ]);
});
