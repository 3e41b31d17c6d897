/**
 * The folders of Linux control groups that hold the limits of a process.
 *
 * ```text
 * /proc/self/cgroup      4:memory:/pods/a          the group, in each hierarchy
 * /proc/self/mountinfo   … /pods /sys/memory …     what of it is mounted, where
 *                        └▶ /sys/memory/a, /sys/memory
 * ```
 *
 * Every group is bound by the limits of those above it, so that all of them
 * have to be read. Version 1 has a hierarchy for each kind of limit, version 2
 * one for all; a machine may have both at once.
 *
 * Pure: the texts of the two files come in. Source: cgroups(7), and proc(5) on
 * `mountinfo`.
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

/** The place at which a hierarchy, or a part of it, is mounted. */
interface Mount {
  /** The group that is mounted at `folder`. */
  readonly root: string;
  readonly folder: string;
}

/**
 * Returns the folders that may hold limits of one kind: of the process's own
 * groups, and of all above them as far as they are mounted.
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

/** Returns the folder of the group at `path`, then those above it. */
function upwards({ root, folder }: Mount, path: string): readonly string[] {
  const top = root === "/" ? "" : root;
  // A group outside of the mount is that of a container as seen from outside:
  // the mount is then its own.
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
 * Returns a field with its octal escapes decoded, which stand for spaces and
 * the like.
 */
function unescape(text: string): string {
  return text.replaceAll(
    /\\([0-7]{3})/g,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 8)),
  );
}
