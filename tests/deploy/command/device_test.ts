import { deepStrictEqual, rejects } from "node:assert/strict";
import { deviceFrom } from "../../../deploy/command/device.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const variables = (values: Readonly<Record<string, string>>) =>
(
  name: string,
) => values[name];

Deno.test("deviceFrom() reads the variables of a server", async () => {
  deepStrictEqual(await deviceFrom(variables({})), {
    device: "auto",
    library: undefined,
  });
  using folder = temporaryFolder();
  const library = folder.write("libonnxruntime.so.1.30.0", "");
  const values = { DEVICE: "cuda", ONNXRUNTIME_DIR: folder.path };
  deepStrictEqual(await deviceFrom(variables(values)), {
    device: "cuda",
    library,
  });
});

Deno.test("deviceFrom() refuses an unknown device and a folder without library", async () => {
  using folder = temporaryFolder();
  await rejects(
    deviceFrom(variables({ DEVICE: "tpu" })),
    /DEVICE "tpu" is unknown, expected auto, cpu, cuda, webgpu/,
  );
  for (const path of [folder.path, `${folder.path}/none`]) {
    await rejects(
      deviceFrom(variables({ ONNXRUNTIME_DIR: path })),
      /Cannot open the device: ONNXRUNTIME_DIR: /,
    );
  }
});
