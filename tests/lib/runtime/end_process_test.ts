import { strictEqual } from "node:assert/strict";

const MODULE = new URL("../../../lib/runtime/end_process.ts", import.meta.url);

async function run(permission: string): Promise<{ code: number; out: string }> {
  const program = `import { endProcess } from "${MODULE}";
globalThis.addEventListener("unload", () => Deno.stdout.writeSync(new Uint8Array([46])));
endProcess(7);`;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--no-lock",
      permission,
      `data:text/typescript,${encodeURIComponent(program)}`,
    ],
    stderr: "null",
  }).output();
  return { code, out: new TextDecoder().decode(stdout) };
}

Deno.test("endProcess() ends with its code, and no code after it runs", async () => {
  const { code, out } = await run("-A");
  strictEqual(code, 7);
  strictEqual(out, Deno.build.os === "windows" ? "." : "");
});

Deno.test("endProcess() ends where native code is not allowed", async () => {
  strictEqual((await run("--allow-read")).code, 7);
});
