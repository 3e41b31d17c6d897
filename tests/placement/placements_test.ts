import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { CUDA, marker, readPlacements, strayNodes } from "./placements.ts";

const decoder = { id: 1, model: "int4", graph: "decoder" };
const arrange = { id: 2, model: "int4", graph: "arrange" };

/** A message of ONNX Runtime about nodes of a provider. */
function message(provider: string, count: number): string {
  return `[V:onnxruntime:, session_state.cc:1380 VerifyEachNodeIsAssignedToAnEp]  Node(s) placed on [${provider}]. Number of nodes: ${count}\n`;
}

Deno.test("readPlacements() gives a graph that is opened within another its own nodes", () => {
  const { placed, missing, refused } = readPlacements([
    marker("begin", decoder),
    marker("begin", arrange),
    message(CUDA, 1),
    marker("end", { id: 2 }),
    message(CUDA, 31),
    marker("end", { id: 1 }),
  ].join(""));
  deepStrictEqual(placed, [
    { ...arrange, nodes: { [CUDA]: 1 } },
    { ...decoder, nodes: { [CUDA]: 31 } },
  ]);
  deepStrictEqual([missing, refused], [[], []]);
});

Deno.test("strayNodes() counts the nodes of all other providers", () => {
  const { placed } = readPlacements(
    marker("begin", decoder) + message("CPUExecutionProvider", 6) +
      message(CUDA, 25),
  );
  strictEqual(strayNodes(placed[0]!), 6);
});

Deno.test("readPlacements() lists refusals, and graphs without a placement", () => {
  const { placed, missing, refused } = readPlacements(
    marker("begin", decoder) + "anything else\n" +
      marker("refused", { message: "no kernel" }) + marker("end", { id: 1 }),
  );
  deepStrictEqual(placed, []);
  deepStrictEqual(missing, [decoder]);
  deepStrictEqual(refused, ["no kernel"]);
});
