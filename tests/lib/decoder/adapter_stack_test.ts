import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  adapterBytes,
  AdapterStack,
  type NamedAdapter,
  stackFor,
} from "../../../lib/decoder/adapter_stack.ts";
import { openAdapter } from "../../../lib/loading/adapter_files.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";
import { weightlessGraph } from "../../../models/graph/weightless.ts";
import { type AdapterFixture, writeAdapter } from "../../support/adapters.ts";

const config = parseLanguageConfig({
  "vocab_size": 20,
  "hidden_size": 8,
  "intermediate_size": 12,
  "num_hidden_layers": 1,
  "num_attention_heads": 2,
  "num_key_value_heads": 1,
});
const QUERY = "model.layers.0.self_attn.q_proj";
const DOWN = "model.layers.0.mlp.down_proj";

async function named(
  name: string,
  fixture: AdapterFixture,
): Promise<NamedAdapter> {
  using folder = writeAdapter(config, fixture);
  return { name, adapter: await openAdapter(folder.path, config) };
}

const small = { seed: 1, rank: 2, targets: ["self_attn.q_proj"] } as const;
const large = {
  seed: 2,
  rank: 5,
  targets: ["self_attn.q_proj", "mlp.down_proj"],
} as const;

Deno.test("adapterBytes() counts each matrix at the greatest rank, for every adapter", async () => {
  const both = [await named("small", small), await named("large", large)];
  const query = 2 * 5 * (8 + 8);
  const down = 2 * 5 * (8 + 12);
  strictEqual(adapterBytes(both, "float32", true), 8 * (query + down));
  strictEqual(adapterBytes(both, "bfloat16", false), 2 * (query + down));
  strictEqual(adapterBytes([], "float32", true), 0);
  // A head of the computing type stays mapped on a CPU.
  const headed = [await named("headed", { ...small, head: true })];
  const stack = 4 * 2 * (8 + 8);
  strictEqual(adapterBytes(headed, "float32", true), 2 * stack);
  strictEqual(adapterBytes(headed, "float32", false), stack + 4 * 20 * 8);
});

Deno.test("AdapterStack pads ranks, and names matrices of any adapter", async () => {
  using first = writeAdapter(config, small);
  using second = writeAdapter(config, large);
  const adapters = [
    { name: "small", adapter: await openAdapter(first.path, config) },
    { name: "large", adapter: await openAdapter(second.path, config) },
  ];
  await using runtime = new Runtime({ threads: 1 });
  using stack = await AdapterStack.load(runtime, adapters);
  deepStrictEqual([...stack!.shape.ranks], [[QUERY, 5], [DOWN, 5]]);
  strictEqual(stack!.shape.count, 2);
  strictEqual(stack!.heads.size, 0);
  strictEqual(await AdapterStack.load(runtime, []), undefined);
});

Deno.test("AdapterStack refuses a name that it does not have", async () => {
  using folder = writeAdapter(config, small);
  const adapter = await openAdapter(folder.path, config);
  await using runtime = new Runtime({ threads: 1 });
  using stack = await AdapterStack.load(runtime, [{ name: "a", adapter }]);
  const g = weightlessGraph("adapters");
  const index = g.input("adapter_index", "int64", ["B"]);
  g.input("adapter_used", "bool", ["B", 1, 1]);
  g.output("y", index, "int64", ["B"]);
  const session = await runtime.session(g.build().model, {
    weightFolder: "/",
    prepack: false,
  });
  using binding = session.bind();
  using tensors = new DisposableStack();
  throws(
    () =>
      stack!.bindRows(
        binding,
        "step",
        ["b"],
        (data, shape, dtype) => tensors.use(runtime.tensor(data, shape, dtype)),
      ),
    /Cannot run adapter "b": it is not loaded/,
  );
});

Deno.test("stackFor() returns the stack for rows with adapters, none for others", async () => {
  using folder = writeAdapter(config, small);
  const adapter = await openAdapter(folder.path, config);
  await using runtime = new Runtime({ threads: 1 });
  using stack = await AdapterStack.load(runtime, [{ name: "a", adapter }]);
  strictEqual(stackFor(stack, [{}, { adapter: "a" }]), stack);
  strictEqual(stackFor(stack, [{}, { adapter: undefined }]), undefined);
  strictEqual(stackFor(undefined, [{}]), undefined);
  throws(
    () => stackFor(undefined, [{ adapter: "a" }]),
    /Cannot run adapter "a": no adapter is loaded/,
  );
});
