import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  MAX_FORM_PARTS,
  MAX_PART_HEADER_BYTES,
} from "../../../functions/http/body_limits.ts";
import { SLICE } from "../../../functions/metrics/event_loop.ts";
import {
  boundaryOf,
  delimitersIn,
  formParts,
} from "../../../functions/http/multipart.ts";
import {
  BodyTooComplexError,
  MalformedBodyError,
} from "../../../functions/http/errors/errors.ts";

const utf8 = new TextEncoder();

async function parse(text: string, boundary = "b") {
  const type = `multipart/form-data; boundary="${boundary}"`;
  return await formParts(type, utf8.encode(text));
}

/** Returns a part of a form of the boundary `b`. */
function part(name: string, content: string, more = ""): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
}

Deno.test("formParts() reads back a client's FormData", async () => {
  const anyName = fc.string({ minLength: 1 }).map((name) =>
    name.toWellFormed()
  );
  // Names are written with CRLF for every line break.
  const anyParts = fc.array(
    fc.tuple(
      anyName.filter((name) => !/[\r\n\\%]/.test(name)),
      fc.oneof(fc.uint8Array(), fc.constant(utf8.encode("\r\n--\r\n\r"))),
    ),
    { maxLength: 6 },
  );
  await fc.assert(fc.asyncProperty(anyParts, async (parts) => {
    const form = new FormData();
    for (const [name, bytes] of parts) {
      form.append(name, new Blob([bytes], { type: "image/png" }), "a b.png");
    }
    const { headers, body } = new Response(form);
    const type = headers.get("content-type")!;
    const bytes = await new Response(body).bytes();
    deepStrictEqual(
      await formParts(type, bytes),
      parts.map(([name, content]) => ({
        name,
        fileName: "a b.png",
        type: "image/png",
        content,
      })),
    );
  }));
});

Deno.test("formParts() agrees with Response.formData() on text", async () => {
  const text = part("a", "1\r\n--bx\r\n-- b") + part("c", "") +
    part("a", "ü") + "--b--\r\nepilogue";
  const response = new Response(text, {
    headers: { "content-type": "multipart/form-data; boundary=b" },
  });
  const decoder = new TextDecoder();
  deepStrictEqual(
    (await parse(text)).map((
      { name, content },
    ) => [name, decoder.decode(content)]),
    [...await response.formData()],
  );
});

Deno.test("formParts() accepts preambles, padding and unknown headers", async () => {
  const text =
    'preamble\r\n--b \t\r\nX: y\r\ncontent-disposition:form-data; filename="a;\\"b"; Name=image\r\nContent-Type: image/png\r\n\r\n1\r\n--b--';
  const [found, ...others] = await parse(text);
  deepStrictEqual(found, {
    name: "image",
    fileName: 'a;"b',
    type: "image/png",
    content: utf8.encode("1"),
  });
  strictEqual(others.length, 0);
});

Deno.test("formParts() refuses malformed forms", async () => {
  const wrong = [
    "",
    "--b",
    "--b\r\n",
    part("a", "1"),
    part("a", "1") + "--b",
    "--b\r\n--b--",
    "--b\r\nX: y\r\n--b--",
    "--b\r\nX: y\r\n\r\n1\r\n--b--",
    '--b\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--b--',
    "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--",
  ];
  for (const text of wrong) {
    await rejects(parse(text), MalformedBodyError, JSON.stringify(text));
  }
});

Deno.test("boundaryOf() accepts the boundaries of RFC 2046, quoted or not", () => {
  const taken: readonly (readonly [string, string])[] = [
    ["multipart/form-data; boundary=b", "b"],
    ['Multipart/Form-Data;charset=utf-8 ; BOUNDARY="a b:c"', "a b:c"],
    ["multipart/mixed; boundary=----=_Part_1; x=y", "----=_Part_1"],
    [`multipart/form-data; boundary=${"-".repeat(70)}`, "-".repeat(70)],
    ['multipart/form-data; x="; boundary=a"; boundary=b', "b"],
  ];
  for (const [type, boundary] of taken) strictEqual(boundaryOf(type), boundary);
  for (
    const type of [
      "multipart/form-data",
      "multipart/form-data; boundary=",
      'multipart/form-data; boundary="a "',
      `multipart/form-data; boundary=${"-".repeat(71)}`,
      'multipart/form-data; boundary="a\\"b"',
      "multipart/form-data; boundary=ü",
      "application/json; boundary=b",
    ]
  ) strictEqual(boundaryOf(type), undefined, type);
});

Deno.test("formParts() accepts parts and header bytes up to the limits", async () => {
  const parts = (count: number) => part("a", "1").repeat(count) + "--b--";
  strictEqual((await parse(parts(MAX_FORM_PARTS))).length, MAX_FORM_PARTS);
  await rejects(parse(parts(MAX_FORM_PARTS + 1)), BodyTooComplexError);
  const padded = (bytes: number) => {
    const empty = '; x=""'.length +
      'Content-Disposition: form-data; name="a"\r\n'.length;
    const more = `; x="${"x".repeat(bytes - empty)}"`;
    return part("a", "1", more) + "--b--";
  };
  strictEqual((await parse(padded(MAX_PART_HEADER_BYTES))).length, 1);
  await rejects(
    parse(padded(MAX_PART_HEADER_BYTES + 2)),
    BodyTooComplexError,
  );
});

Deno.test("delimitersIn() and formParts() are fast on adversarial bodies", async () => {
  const size = 2 ** 23;
  const dashes = "-".repeat(70);
  const bodies: readonly (readonly [string, string])[] = [
    ["a", "\r\n--a"],
    ["a", "\r\n--a\r\n"],
    ["a", "\r\n--"],
    ["a", "\r"],
    ["a", "--a\r\n\r\nx\r\n"],
    ["a", "\r\n--a "],
    [dashes, "-"],
    [dashes, "\r\n--------"],
    [dashes, `\r\n--${dashes}`],
  ];
  for (const [boundary, unit] of bodies) {
    const bytes = utf8.encode(
      `--${boundary}\r\n` + unit.repeat(Math.floor(size / unit.length)),
    );
    try {
      await delimitersIn(bytes, boundary);
      await parse(new TextDecoder().decode(bytes), boundary);
    } catch (error) {
      if (error instanceof MalformedBodyError) continue;
      if (!(error instanceof BodyTooComplexError)) throw error;
    }
  }
});

Deno.test("delimitersIn() finds delimiters across slices", async () => {
  for (let shift = 0; shift < 8; shift++) {
    const fill = "x".repeat(SLICE - 5 - shift);
    const bytes = utf8.encode(`--b\r\n${fill}\r\n--b\r\n\r\n--b--`);
    const found = await delimitersIn(bytes, "b");
    deepStrictEqual(
      found.map(({ start }) => start),
      [0, SLICE - shift, SLICE - shift + 7],
    );
  }
});
