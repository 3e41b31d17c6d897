/**
 * The attacks by bodies: JSON, forms, compressed bytes and texts that cost more
 * than their size.
 *
 * @module
 */

import {
  ask,
  askJson,
  type Attack,
  BUSY,
  oneOf,
  size,
  type Target,
  together,
} from "./attack.ts";

const MEGABYTE = 2 ** 20;

/** Values that are cheap to write and expensive to hold. */
const ITEMS = ["0", '""', "{}", "[]", "null", "[[]]", '{"a":0}', "1e308"];

/** Positions for a long list, by endpoint. */
const LISTS: readonly ((list: string) => [
  path: string,
  body: string,
  headers?: Record<string, string>,
])[] = [
  (list) => [
    "/v1/generate",
    `{"prompt":"a fox","webhook":{"url":"https://a.example","events":${list}}}`,
    { prefer: "respond-async" },
  ],
  (
    list,
  ) => [
    "/v1/generate",
    `{"prompt":"a fox","prefix":{"height":1,"width":1,"codes":${list}}}`,
  ],
  (list) => ["/v1/generate", `{"prompt":${list}}`],
  (
    list,
  ) => ["/v1/detokenize", `{"grid":{"height":1,"width":1,"codes":[${list}]}}`],
  (
    list,
  ) => [
    "/v1/detokenize",
    `{"clip":{"frames":1,"height":1,"width":1,"codes":[[${list}]]}}`,
  ],
  (list) => ["/v1/detokenize", `{"tokens":${list}}`],
  (list) => ["/v1/tokenize", `{"frames":${list}}`],
  (list) => ["/v1/caption", `{"images":${list}}`],
  (
    list,
  ) => ["/v1/caption", `{"grids":[{"height":1,"width":1,"codes":${list}}]}`],
  (
    list,
  ) => [
    "/v1/score",
    `{"prompt":"a","grid":{"height":1,"width":1,"codes":${list}}}`,
  ],
  (list) => ["/v1/chat/completions", `{"model":"x","messages":${list}}`],
  (list) => [
    "/v1/chat/completions",
    `{"model":"x","messages":[{"role":"user","content":${list}}]}`,
  ],
  (list) => ["/v1/images/generations", `{"prompt":"a","stop":${list}}`],
  (list) => ["/predictions", `{"input":{"prompt":"a","more":${list}}}`],
  (list) => ["/v2/models/generate/infer", `{"inputs":${list}}`],
  (list) => [
    "/v2/models/generate/infer",
    `{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":["a"]}],"parameters":{"prefix":{"height":1,"width":1,"codes":${list}}}}`,
  ],
  (list) => [
    "/mcp",
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"detokenize_image","arguments":{"grid":{"height":1,"width":1,"codes":${list}}}}}`,
    { accept: "application/json, text/event-stream" },
  ],
  (list) => ["/mcp", list, { accept: "application/json, text/event-stream" }],
];

const jsonLists: Attack = {
  name: "long lists in JSON, on every surface",
  allowed: [200, 202, 400, 404, 413, 422, ...BUSY],
  run: (target) =>
    together(6, async () => {
      const { random } = target;
      const item = oneOf(random, ITEMS);
      const bytes = size(random, MEGABYTE / 4, 30 * MEGABYTE);
      const items = `${item},`.repeat(Math.floor(bytes / (item.length + 1)));
      const list = `[${items}${item}]`;
      const [path, body, headers] = oneOf(random, LISTS)(list);
      return await askJson(target, path, body, headers);
    }),
};

const nestedJson: Attack = {
  name: "deep and wide JSON",
  allowed: [400, 413, 422, ...BUSY],
  run: (target) =>
    together(6, async () => {
      const { random } = target;
      const count = size(random, 1000, 3_000_000);
      const body = oneOf(random, [
        () => "[".repeat(count),
        () => '{"a":'.repeat(count) + "1" + "}".repeat(count),
        () =>
          `{${
            Array.from(
              { length: Math.min(count, 800_000) },
              (_, i) => `"k${i}":0`,
            ).join()
          }}`,
        () => `{"prompt":"${"\\u0000".repeat(count)}"`,
        () => `{"__proto__":${"[".repeat(count)}${"]".repeat(count)}}`,
      ])();
      const path = oneOf(random, [
        "/v1/generate",
        "/v1/tokenize",
        "/mcp",
        "/predictions",
      ]);
      return await askJson(target, path, body);
    }),
};

/** Texts that tokenizers are slow at. */
const TEXTS: readonly ((count: number) => string)[] = [
  (count) => "\\n".repeat(count),
  (count) => " ".repeat(count),
  (count) => "a".repeat(count),
  (count) => "a ".repeat(count),
  (count) => " \\n\\r\\t".repeat(count),
  (count) => "😀".repeat(count / 4),
  (count) => "漢字".repeat(count / 6),
  (count) => "<|image start|>".repeat(count / 15),
  (count) => "'s'll".repeat(count / 5),
  (count) => "1234567890".repeat(count / 10),
];

const longTexts: Attack = {
  name: "long texts",
  allowed: [200, 400, 404, 413, 422, ...BUSY],
  run: (target) =>
    together(4, async () => {
      const { random } = target;
      const count = size(random, 10_000, 8 * MEGABYTE);
      const text = oneOf(random, TEXTS)(count);
      const [path, body] = oneOf(random, [
        ["/v1/tokenize", `{"text":"${text}"}`],
        ["/v1/tokenize", `{"text":"${text}","special":true}`],
        ["/v1/tokenize", `{"prompt":{"prompt":"${text}"}}`],
        ["/v1/generate", `{"prompt":"${text}"}`],
        ["/v1/generate", `{"prompt":"a","negative_prompt":"${text}"}`],
        [
          "/v1/chat/completions",
          `{"model":"x","messages":[{"role":"user","content":"${text}"}]}`,
        ],
      ]);
      return await askJson(target, path!, body!);
    }),
};

const forms: Attack = {
  name: "forms of many parts, repeated by their key",
  allowed: [200, 400, 409, 413, 415, 422, ...BUSY],
  run: (target) =>
    together(4, async () => {
      const { random } = target;
      const boundary = oneOf(random, [
        "a",
        "--",
        "x".repeat(70),
        "x".repeat(200),
      ]);
      const part = oneOf(random, [
        `\r\n--${boundary}`,
        `--${boundary}\r\n\r\n\r\n`,
        `\r\n--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\nb`,
        `\r\n--${boundary}\r\n${"x: y\r\n".repeat(50)}\r\n`,
      ]);
      const bytes = size(random, MEGABYTE / 4, 30 * MEGABYTE);
      const body = part.repeat(Math.floor(bytes / part.length)) +
        oneOf(random, ["", `\r\n--${boundary}--\r\n`]);
      return await ask(
        target,
        oneOf(random, ["/v1/tokenize", "/v1/caption", "/files"]),
        {
          method: "POST",
          body,
          headers: {
            "content-type": `multipart/form-data; boundary=${boundary}`,
            "idempotency-key": `${random()}`,
          },
        },
      );
    }),
};

/** Compressed once, because it takes long. */
let packedZeros: Promise<Uint8Array<ArrayBuffer>> | undefined;

function packZeros(): Promise<Uint8Array<ArrayBuffer>> {
  const zeros = new Blob([new Uint8Array(100 * MEGABYTE)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Response(zeros).bytes();
}

const bombs: Attack = {
  name: "compressed bodies that unpack to much",
  allowed: [400, 413, 415, 422, ...BUSY],
  run: async (target) => {
    const packed = await (packedZeros ??= packZeros());
    return await together(12, () =>
      ask(target, "/v2/models/tokenize/infer", {
        method: "POST",
        body: packed,
        headers: {
          "content-type": "application/json",
          "content-encoding": "gzip",
        },
      }));
  },
};

const largePredictions: Attack = {
  name: "predictions with large inputs, and their list",
  allowed: [200, 201, 202, 400, 404, 413, 422, ...BUSY],
  run: async (target) => {
    const { random } = target;
    const made = await together(6, async () => {
      const keys = size(random, 1, 3000);
      const text = "x".repeat(size(random, 100, 8000));
      const more = Array.from({ length: keys }, (_, i) => `"k${i}":"${text}"`);
      const input = `{"prompt":"a","height":16,"width":16,${more.join()}}`;
      return await askJson(target, "/predictions", `{"input":${input}}`, {
        prefer: "respond-async",
      });
    });
    const lists = await Promise.all([
      ask(target, "/predictions"),
      ask(target, "/v1/jobs"),
    ]);
    return [...made, ...lists];
  },
};

/** Attacks by bodies. */
export const BODY_ATTACKS: readonly Attack[] = [
  jsonLists,
  nestedJson,
  longTexts,
  forms,
  bombs,
  largePredictions,
];

/** Sends an ordinary request and returns its status. */
export function ordinary(target: Target): Promise<number> {
  return askJson(target, "/v1/tokenize", '{"text":"a fox in the snow"}');
}
