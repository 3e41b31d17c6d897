/**
 * The folders of Linux control groups that hold the limits of a process.
 *
 * ```text
 * /proc/self/cgroup      4:memory:/pods/a          the group in each hierarchy
 * /proc/self/mountinfo   … /pods /sys/memory …     the mounted group and its folder
 *                        └▶ /sys/memory/a, /sys/memory
 * ```
 *
 * The limits of all parent groups apply to a group, so all of them are read.
 * Version 1 has a hierarchy for each kind of limit, version 2 one for all; a
 * machine may have both.
 *
 * The functions are pure; callers pass the texts of the two files. Source:
 * cgroups(7), and proc(5) on `mountinfo`.
 *
 * @module
 */

/** The texts that describe the groups of a process. */
export interface GroupTexts {
  /** Text of `/proc/self/cgroup`. */
  readonly groups: string;
  /** Text of `/proc/self/mountinfo`. */
  readonly mounts: string;
}

/** Kinds of limits, by the kernel's names. */
export type Controller = "cpu" | "memory";

/** The mount of a hierarchy, or of a part of it. */
interface Mount {
  /** The group that is mounted at `folder`. */
  readonly root: string;
  readonly folder: string;
}

/**
 * Returns the folders that may contain limits of one kind: those of the
 * process's groups and of all their mounted parents.
 */
export function groupFolders(
  { groups, mounts }: GroupTexts,
  controller: Controller,
): readonly string[] {
  const found = new Set<string>();
  for (const line of groups.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    // Version 2 names no controllers.
    const unified = controllers === "";
    if (!unified && !controllers.split(",").includes(controller)) continue;
    const kind = unified ? undefined : controller;
    for (const mount of mountsOf(mounts, kind)) {
      for (const folder of upwards(mount, path)) found.add(folder);
    }
  }
  return [...found];
}

/**
 * @param controller Name in version 1; undefined for version 2.
 */
function mountsOf(
  mounts: string,
  controller: Controller | undefined,
): readonly Mount[] {
  return mounts.split("\n").flatMap((line) => {
    // The number of fields before the dash varies.
    const [before, after] = line.split(" - ");
    const [, , , root, folder] = before!.split(" ");
    const [type, , options] = (after ?? "").split(" ");
    if (root === undefined || folder === undefined) return [];
    const matches = controller === undefined
      ? type === "cgroup2"
      : type === "cgroup" && (options ?? "").split(",").includes(controller);
    return matches ? [{ root: unescape(root), folder: unescape(folder) }] : [];
  });
}

/** Returns the folder of the group at `path`, then those of its parents. */
function upwards({ root, folder }: Mount, path: string): readonly string[] {
  const top = root === "/" ? "" : root;
  // A path outside of the mount is that of a container in the namespace of its
  // machine; the mount is then the container's own group.
  const inside = path === top || path.startsWith(`${top}/`);
  const parts = (inside ? path.slice(top.length) : "").split("/")
    .filter((part) => part !== "" && part !== "..");
  return [
    ...parts.map((_, i) =>
      [folder, ...parts.slice(0, parts.length - i)].join("/")
    ),
    folder,
  ];
}

/**
 * Returns a field with its octal escapes (such as `\040` for a space) decoded.
 */
function unescape(text: string): string {
  return text.replaceAll(
    /\\([0-7]{3})/g,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 8)),
  );
}
