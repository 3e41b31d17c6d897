import { rejects, strictEqual } from "node:assert/strict";
import { pathWithin } from "../../../deploy/workflows/chains/path_within.ts";
import { RefusedError } from "../../../deploy/workflows/emu3/emu3_errors.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("pathWithin() accepts paths under the folder, that exist or not", async () => {
  using folder = temporaryFolder();
  const root = await Deno.realPath(folder.path);
  folder.write("a/b.txt", "");
  folder.link("inside", "a");
  for (const name of ["a", "a/b.txt", "new/set", "inside/new", "a/../c", "."]) {
    strictEqual((await pathWithin(root, name, "data")).startsWith(root), true);
  }
});

Deno.test("pathWithin() refuses paths and links that lead out of the folder", async () => {
  using folder = temporaryFolder();
  using other = temporaryFolder();
  const root = await Deno.realPath(folder.path);
  folder.link("away", other.path);
  folder.link("nowhere", `${other.path}/absent`);
  folder.link("up", "../absent");
  for (
    const name of [
      "..",
      "a/../../b",
      "/etc",
      "away",
      "away/new",
      "nowhere/new",
      "up",
      "a\0b",
    ]
  ) {
    await rejects(
      () => pathWithin(root, name, "out"),
      (error) =>
        error instanceof RefusedError && error.status === 422 &&
        `${error.problem["detail"]}`.startsWith("/out: "),
      name,
    );
  }
});
