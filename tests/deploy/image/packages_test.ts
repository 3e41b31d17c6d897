/**
 * The tests of the packages and files that an image keeps.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  isDispensable,
  type ModuleGraph,
  neededFiles,
  neededFolders,
} from "../../../deploy/image/packages.ts";

const at = (folder: string) =>
  `/app/node_modules/.deno/${folder}/node_modules/x`;

const GRAPH: ModuleGraph = {
  modules: [{}, { npmPackage: "a@1.0.0" }],
  npmPackages: {
    "a@1.0.0": { dependencies: ["@s/b@2.0.0"], localPath: at("a@1.0.0") },
    "@s/b@2.0.0": {
      dependencies: ["a@1.0.0"],
      localPath: at("@s+b@2.0.0_1"),
    },
    "c@3.0.0": { dependencies: [], localPath: at("c@3.0.0") },
  },
};

Deno.test("neededFolders() follows cyclic dependencies, and omits other packages", () => {
  deepStrictEqual(
    [...neededFolders(GRAPH)].sort(),
    ["@s+b@2.0.0_1", "a@1.0.0"],
  );
});

Deno.test("neededFiles() returns the files, without packages and built-in modules", () => {
  const modules = ["file:///app/a.ts", "node:path", "npm:/x@1.0.0"]
    .map((specifier) => ({ specifier }));
  deepStrictEqual(
    [...neededFiles({ modules: [...modules, {}], npmPackages: {} })],
    ["file:///app/a.ts"],
  );
});

Deno.test("neededFolders() keeps exactly the reachable packages", () => {
  const nodes = fc.integer({ min: 1, max: 12 });
  fc.assert(fc.property(nodes, fc.infiniteStream(fc.nat()), (count, random) => {
    const pick = () => Number(random.next().value) % count;
    const edges = Array.from({ length: count }, () => [pick(), pick()]);
    const name = (index: number) => `p${index}@1.0.0`;
    const graph: ModuleGraph = {
      modules: [{ npmPackage: name(0) }],
      npmPackages: Object.fromEntries(edges.map((to, index) => [
        name(index),
        { dependencies: to.map(name), localPath: at(name(index)) },
      ])),
    };
    const reached = new Set([0]);
    for (let round = 0; round < count; round++) {
      for (const index of [...reached]) {
        edges[index]!.forEach((to) => reached.add(to));
      }
    }
    deepStrictEqual(
      [...neededFolders(graph)].sort(),
      [...reached].map(name).sort(),
    );
  }));
});

Deno.test("neededFolders() rejects a missing package", () => {
  throws(
    () => neededFolders({ ...GRAPH, npmPackages: {} }),
    /Cannot follow imports: "a@1.0.0" is not installed/,
  );
  throws(
    () => neededFolders({ ...GRAPH, modules: [{ error: "no such file" }] }),
    /Cannot follow imports: no such file/,
  );
});

Deno.test("isDispensable() keeps the native code of one processor", () => {
  const onnx = "node_modules/onnxruntime-node/bin/napi-v6";
  const files = [
    `${onnx}/linux/x64/libonnxruntime.so.1`,
    `${onnx}/linux/x64/onnxruntime_binding.node`,
    `${onnx}/linux/arm64/libonnxruntime.so.1`,
    `${onnx}/darwin/arm64/libonnxruntime.1.dylib`,
    `${onnx}/win32/x64/onnxruntime.dll`,
    "node_modules/imagescript/codecs/node/bin/x64-linux.node",
    "node_modules/imagescript/codecs/node/bin/arm64-linux.node",
  ];
  const kept = (arch: string) =>
    files.filter((path) => !isDispensable(path, arch));
  deepStrictEqual(kept("x86_64"), [files[0], files[5]]);
  deepStrictEqual(kept("aarch64"), [files[2], files[6]]);
});

Deno.test("isDispensable() is true for types and maps, and for no code, license or data", () => {
  for (const path of ["a/b.d.ts", "a/b.d.mts", "a/b.js.map"]) {
    ok(isDispensable(path, "x86_64"), path);
  }
  for (const path of ["a/b.js", "a/b.ts", "a/LICENSE", "a/b.wasm", "a/map"]) {
    strictEqual(isDispensable(path, "x86_64"), false, path);
  }
});
