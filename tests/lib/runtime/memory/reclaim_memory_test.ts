import { ok } from "node:assert/strict";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

const MODULE = new URL(
  "../../../../lib/runtime/memory/reclaim_memory.ts",
  import.meta.url,
);

const CONFIG = new URL("../../../../deno.json", import.meta.url).pathname;

/** Blocks that are allocated one after the other, then freed but for the last. */
const PROGRAM = `
  import { reclaimMemory } from "${MODULE}";
  const { symbols: c } = Deno.dlopen("libc.so.6", {
    malloc: { parameters: ["usize"], result: "pointer" },
    memset: { parameters: ["pointer", "i32", "usize"], result: "pointer" },
    free: { parameters: ["pointer"], result: "void" },
  });
  const block = (bytes) => c.memset(c.malloc(BigInt(bytes)), 1, BigInt(bytes));
  // A large block that is freed raises the size from which blocks are mapped.
  c.free(block(31 * 2 ** 20));
  const blocks = Array.from({ length: 16 }, () => block(8 * 2 ** 20));
  const last = block(200_000);
  const resident = () =>
    Number(Deno.readTextFileSync("/proc/self/statm").split(" ")[1]) * 4096;
  const before = resident();
  blocks.forEach((one) => c.free(one));
  await reclaimMemory();
  console.log(before - resident());
  c.free(last);
`;

/** Returns the bytes that went back to the system when 128 MiB were freed. */
async function returned(): Promise<number> {
  using folder = temporaryFolder();
  const file = folder.write("program.ts", PROGRAM);
  const args = ["run", "-q", "-A", "--no-check", `--config=${CONFIG}`, file];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  return Number(new TextDecoder().decode(stdout));
}

Deno.test({
  name: "reclaimMemory() sends freed blocks back to the system",
  ignore: Deno.build.os !== "linux",
  fn: async () => ok(await returned() > 0.9 * 128 * 2 ** 20),
});
