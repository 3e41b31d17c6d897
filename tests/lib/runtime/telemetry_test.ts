import { strictEqual } from "node:assert/strict";
import { Runtime } from "../../../lib/runtime/runtime.ts";

/** Returns the value that native code reads from this process's environment. */
function nativeVariable(name: string): string | undefined {
  const library = Deno.dlopen(
    Deno.build.os === "darwin" ? "libSystem.B.dylib" : "libc.so.6",
    { getenv: { parameters: ["buffer"], result: "pointer" } },
  );
  const value = library.symbols.getenv(new TextEncoder().encode(`${name}\0`));
  const text = value === null
    ? undefined
    : new Deno.UnsafePointerView(value).getCString();
  library.close();
  return text;
}

Deno.test("Runtime forbids ONNX Runtime's telemetry", async () => {
  await using _ = new Runtime({ threads: 1 });
  strictEqual(nativeVariable("ORT_DISABLE_TELEMETRY"), "1");
});
