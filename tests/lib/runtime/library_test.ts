import { match, ok, strictEqual, throws } from "node:assert/strict";
import { RuntimeError } from "../../../lib/errors.ts";
import {
  libraryIn,
  libraryName,
  libraryPath,
  loadProblem,
  openLibrary,
} from "../../../lib/runtime/library.ts";

const PLATFORMS = [
  { os: "linux", arch: "x86_64" },
  { os: "linux", arch: "aarch64" },
  { os: "darwin", arch: "aarch64" },
  { os: "windows", arch: "x86_64" },
  { os: "windows", arch: "aarch64" },
];

Deno.test("libraryName() names a file that the package contains, on every platform", () => {
  const folder = libraryPath().slice(0, -libraryName(Deno.build).length);
  for (const platform of PLATFORMS) {
    ok(Deno.statSync(`${folder}${libraryName(platform)}`).isFile);
  }
});

Deno.test("libraryName() lists the supported platforms on another one", () => {
  throws(() => libraryName({ os: "darwin", arch: "x86_64" }), (error) => {
    ok(error instanceof RuntimeError);
    match(error.message, /darwin-x86_64.*linux-x86_64/);
    return true;
  });
});

Deno.test("openLibrary() names the file that it cannot open", () => {
  throws(() => openLibrary("/no/such/libonnxruntime.so"), (error) => {
    ok(error instanceof RuntimeError);
    match(error.message, /\/no\/such\/libonnxruntime\.so.*deno install/s);
    return true;
  });
});

Deno.test("libraryIn() finds the library among its providers, whatever its version", () => {
  for (
    const name of [
      "libonnxruntime.so.1.30.0",
      "libonnxruntime.1.30.0.dylib",
      "onnxruntime.dll",
    ]
  ) {
    const files = ["libonnxruntime_providers_cuda.so", name, "README"];
    strictEqual(libraryIn("/opt", files), `/opt/${name}`);
  }
  const links = ["libonnxruntime.so.1.30.0", "libonnxruntime.so"];
  strictEqual(libraryIn("/opt", links), "/opt/libonnxruntime.so");
  throws(
    () => libraryIn("/opt", ["libonnxruntime_providers_shared.so"]),
    /Cannot find ONNX Runtime in "\/opt": it contains no libonnxruntime/,
  );
});

Deno.test("loadProblem() returns the missing library, or undefined", () => {
  strictEqual(loadProblem(libraryPath()), undefined);
  match(loadProblem("/no/such/libx.so")!, /\/no\/such\/libx\.so/);
});
