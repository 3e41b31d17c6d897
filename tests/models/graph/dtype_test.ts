import { strictEqual } from "node:assert/strict";
import proto from "onnx-proto";
import {
  DTYPE_BYTES,
  elementCount,
  ONNX_DTYPE,
} from "../../../models/graph/dtype.ts";

/** The ONNX names of the types. */
const ONNX_NAMES = {
  float32: "FLOAT",
  float16: "FLOAT16",
  int8: "INT8",
  bfloat16: "BFLOAT16",
  int32: "INT32",
  int64: "INT64",
  uint8: "UINT8",
  bool: "BOOL",
} as const;

Deno.test("ONNX_DTYPE has ONNX's numbers", () => {
  const { DataType } = proto.onnx.TensorProto;
  for (const [dtype, name] of Object.entries(ONNX_NAMES)) {
    strictEqual(new Map(Object.entries(ONNX_DTYPE)).get(dtype), DataType[name]);
  }
  strictEqual(Object.keys(ONNX_DTYPE).length, Object.keys(ONNX_NAMES).length);
  strictEqual(Object.keys(DTYPE_BYTES).length, Object.keys(ONNX_NAMES).length);
});

Deno.test("elementCount() multiplies sides; no sides are one element", () => {
  strictEqual(elementCount([]), 1);
  strictEqual(elementCount([3, 4, 5]), 60);
  strictEqual(elementCount([3, 0]), 0);
});
