/**
 * The reader of `.pth` files of codes: those of {@linkcode writePth}, with a
 * tensor, and those of the released script, with a NumPy array.
 *
 * A pickle may name any function of Python. Only those that make up tensors and
 * arrays are known here; any other is rejected by its name, and nothing is
 * executed.
 *
 * @module
 */

import { Parser } from "pickleparser";
import { type IntegerArray, numpyNames } from "./numpy_names.ts";
import { readStoredZip } from "./stored_zip.ts";

/** The content of a `.pth` file of codes. */
export interface PthContent {
  /** Value of `name`. */
  readonly name: string;
  /** Value of `texts`. */
  readonly text: string;
  /** Value of `images`, `[height, width]`. */
  readonly images: IntegerArray;
  /** Value of `question`, if there is one. */
  readonly question: string | undefined;
  /** Value of `answer`, if there is one. */
  readonly answer: string | undefined;
}

/** Readers of one value by the name of its storage. */
const STORAGES: Readonly<
  Record<string, { bytes: number; at: (view: DataView, i: number) => number }>
> = {
  LongStorage: { bytes: 8, at: (v, i) => Number(v.getBigInt64(8 * i, true)) },
  IntStorage: { bytes: 4, at: (v, i) => v.getInt32(4 * i, true) },
  ShortStorage: { bytes: 2, at: (v, i) => v.getInt16(2 * i, true) },
  ByteStorage: { bytes: 1, at: (v, i) => v.getUint8(i) },
};

/** The values of a storage. */
interface Storage {
  readonly length: number;
  readonly at: (index: number) => number;
}

/**
 * Returns the content of a `.pth` file.
 *
 * @throws {SyntaxError} If it is not a file of codes.
 */
export function readPth(bytes: Uint8Array): PthContent {
  const entries = readStoredZip(bytes);
  const pickle = [...entries].find(([name]) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined) throw new SyntaxError("it has no data.pkl");
  const [path, data] = pickle;
  const folder = path.slice(0, path.indexOf("/"));
  const storage = (key: string) => entries.get(`${folder}/data/${key}`);
  const value = unpickle(data, storage);
  const fields = value instanceof Map ? value : new Map<string, unknown>();
  const text = (key: string) => {
    const field = fields.get(key);
    return typeof field === "string" ? field : undefined;
  };
  const images = fields.get("images");
  const name = text("name");
  const texts = text("texts");
  if (name === undefined || texts === undefined || !isArray(images)) {
    throw new SyntaxError("it is not a dictionary of name, images and texts");
  }
  return {
    name,
    text: texts,
    images,
    question: text("question"),
    answer: text("answer"),
  };
}

function unpickle(
  data: Uint8Array,
  bytesOf: (key: string) => Uint8Array | undefined,
): unknown {
  const names = new Map<string, (...args: unknown[]) => unknown>([
    ["torch._utils._rebuild_tensor_v2", tensor],
    ["collections.OrderedDict", () => new Map()],
    ...Object.keys(STORAGES).map((name) =>
      [`torch.${name}`, () => name] as const
    ),
    ...numpyNames(),
  ]);
  const parser = new Parser({
    unpicklingTypeOfDictionary: "Map",
    nameResolver: {
      resolve: (module, name) => {
        const known = names.get(`${module}.${name}`);
        if (known !== undefined) return known;
        throw new SyntaxError(
          `it refers to ${module}.${name}, which is not supported`,
        );
      },
    },
    persistentResolver: {
      // The package calls it a text; PyTorch's are tuples.
      resolve: (id: unknown) => storageOf(id, bytesOf),
    },
  });
  try {
    return parser.parse(data);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw cause;
    throw new SyntaxError("its pickle is damaged", { cause });
  }
}

function storageOf(
  id: unknown,
  bytesOf: (key: string) => Uint8Array | undefined,
): Storage {
  const [kind, type, key, , length] = Array.isArray(id) ? id : [];
  const name: unknown = typeof type === "function" ? type() : undefined;
  const reader = typeof name === "string" ? STORAGES[name] : undefined;
  const bytes = bytesOf(String(key));
  if (kind !== "storage" || reader === undefined || bytes === undefined) {
    throw new SyntaxError("its tensor does not hold whole numbers");
  }
  if (bytes.length !== length * reader.bytes) {
    throw new SyntaxError("its tensor and its values differ in size");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { length, at: (index) => reader.at(view, index) };
}

/** Rebuilds a tensor of any strides. */
function tensor(...args: unknown[]): IntegerArray {
  // The arguments are those of torch._utils._rebuild_tensor_v2.
  const [storage, offset, shape, strides] = args as [
    Storage,
    number,
    readonly number[],
    readonly number[],
  ];
  const [height = 0, width = 0] = shape;
  const [down = 0, right = 0] = strides;
  const last = offset + (height - 1) * down + (width - 1) * right;
  if (shape.length !== 2 || !(last < storage.length)) {
    throw new SyntaxError(`its tensor has the shape [${shape}], not [h, w]`);
  }
  const values = Array.from(
    { length: height * width },
    (_, i) =>
      storage.at(offset + Math.floor(i / width) * down + (i % width) * right),
  );
  return { height, width, values };
}

function isArray(value: unknown): value is IntegerArray {
  return typeof value === "object" && value !== null && "values" in value;
}
