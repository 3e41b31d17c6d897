import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { readInferRequest } from "../../../../functions/compat/kserve/infer_request.ts";
import { bytesFromTensor } from "../../../../functions/compat/kserve/tensor.ts";
import { Emu3Error } from "../../../../lib/errors.ts";
import {
  InvalidFieldsError,
  MalformedBodyError,
} from "../../../../functions/http/errors/errors.ts";

/** Returns a body of JSON and bytes, and the length of the JSON. */
function bodyOf(
  header: unknown,
  ...raw: readonly Uint8Array[]
): [Uint8Array<ArrayBuffer>, string] {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const parts = [json, ...raw].flatMap((part) => [...part]);
  return [Uint8Array.from(parts), `${json.length}`];
}

function input(name: string, rest: Record<string, unknown>) {
  return { name, shape: [1], datatype: "UINT16", ...rest };
}

Deno.test("readInferRequest() finds tensors of any sizes after the JSON", async () => {
  const code = fc.nat({ max: 65_535 });
  const anyTensors = fc.array(fc.array(code, { maxLength: 9 }), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(anyTensors, fc.string(), async (tensors, id) => {
      const raw = tensors.map((values) =>
        bytesFromTensor({
          datatype: "UINT16",
          shape: [values.length],
          values: Uint16Array.from(values),
        })
      );
      const inputs = tensors.map((values, i) =>
        input(`t${i}`, {
          shape: [values.length],
          parameters: { "binary_data_size": 2 * values.length },
        })
      );
      const request = await readInferRequest(...bodyOf({ id, inputs }, ...raw));
      strictEqual(request.id, id);
      deepStrictEqual(
        [...request.inputs.values()].map(({ values }) => [...values]),
        tensors,
      );
    }),
  );
});

Deno.test("readInferRequest() throws only refusals for any body", async () => {
  const anyBytes = fc.uint8Array({ maxLength: 16 });
  const size = fc.oneof(fc.integer(), fc.nat({ max: 16 }), fc.anything());
  const anyInput = fc.record({
    name: fc.oneof(fc.constant("codes"), fc.anything()),
    shape: fc.oneof(fc.array(fc.nat({ max: 4 })), fc.anything()),
    datatype: fc.oneof(fc.constantFrom("BYTES", "UINT16"), fc.anything()),
    parameters: fc.oneof(
      fc.record({ "binary_data_size": size }),
      fc.anything(),
    ),
    data: fc.oneof(fc.array(fc.nat()), fc.anything()),
  }, { requiredKeys: [] });
  const anyHeader = fc.oneof(
    fc.record({ inputs: fc.array(anyInput, { maxLength: 3 }) }),
    fc.jsonValue(),
  );
  const anyLength = fc.option(
    fc.oneof(fc.nat({ max: 200 }).map(String), fc.string()),
    { nil: undefined },
  );
  await fc.assert(
    fc.asyncProperty(
      anyHeader,
      anyBytes,
      anyLength,
      async (header, raw, length) => {
        const text = JSON.stringify(
          header,
          (_, value) => typeof value === "bigint" ? 0 : value,
        ) ?? "null";
        const [body, end] = bodyOf(JSON.parse(text), raw);
        try {
          await readInferRequest(body, length ?? end);
        } catch (error) {
          ok(error instanceof Emu3Error, `${error}`);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("readInferRequest() refuses lengths that do not add up", async () => {
  const raw = Uint8Array.of(1, 0);
  const whole = {
    inputs: [input("codes", { parameters: { "binary_data_size": 2 } })],
  };
  const [body, end] = bodyOf(whole, raw);
  ok(await readInferRequest(body, end));
  for (const length of ["", "-1", "1e1", "0x10", `${body.length + 1}`]) {
    await rejects(readInferRequest(body, length), MalformedBodyError);
  }
  await rejects(readInferRequest(body, `${body.length}`), MalformedBodyError);
  await rejects(
    readInferRequest(body.subarray(0, -1), end),
    MalformedBodyError,
  );
  const longer = new Uint8Array([...body, 0]);
  await rejects(readInferRequest(longer, end), MalformedBodyError);
  await rejects(readInferRequest(...bodyOf(whole)), MalformedBodyError);
});

Deno.test("readInferRequest() names the invalid tensor", async () => {
  const shared = { "shared_memory_region": "r" };
  const refused: [Record<string, unknown>, string][] = [
    [{ inputs: [input("a", { data: [1, 2] })] }, "/inputs/0"],
    [
      { inputs: [input("a", { data: [1] }), input("a", { data: [1] })] },
      "/inputs/1",
    ],
    [{ inputs: [input("a", { parameters: shared })] }, "/inputs/0"],
    [{ inputs: [input("a", { datatype: "FP64" })] }, "/inputs/0/datatype"],
    [{ inputs: [input("a", { shape: [-1] })] }, "/inputs/0/shape/0"],
    [
      { inputs: [], outputs: [{ name: "a", parameters: shared }] },
      "/outputs/0",
    ],
    [
      {
        inputs: [],
        outputs: [{ name: "a", parameters: { classification: 1 } }],
      },
      "/outputs/0",
    ],
    [{}, "/inputs"],
  ];
  for (const [header, pointer] of refused) {
    await rejects(
      readInferRequest(...bodyOf(header)),
      (error) =>
        error instanceof InvalidFieldsError &&
        error.fields[0]!.pointer === pointer,
      pointer,
    );
  }
});

Deno.test("readInferRequest() reads the form of each output, or the default", async () => {
  const ask = async (parameters: Record<string, unknown>) => {
    const outputs = [
      { name: "a" },
      { name: "b", parameters: { "binary_data": false } },
      { name: "c", parameters: { "binary_data": true } },
    ];
    const body = bodyOf({ inputs: [], outputs, parameters });
    const request = await readInferRequest(...body);
    return request.outputs.map(({ binary }) => binary);
  };
  deepStrictEqual(await ask({}), [false, false, true]);
  deepStrictEqual(await ask({ "binary_data_output": true }), [
    true,
    false,
    true,
  ]);
});
