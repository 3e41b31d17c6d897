/**
 * The code snippets of a drawing: the same request in several languages.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {{ origin: string, keyed: boolean }} Place Origin of the server, and
 *   true if it requires a key.
 */

/** Languages by name. */
export const SNIPPETS = /** @type {const} */ ({
  "curl": curl,
  "JavaScript": javascript,
  "Python": python,
});

/** Environment variable of the key in snippets. */
const KEY = "EMU3_KEY";

/**
 * Formats a curl command. Several pictures arrive as JSON, from which jq
 * extracts them.
 *
 * @param {Settings} settings
 * @param {Place} place
 * @returns {string}
 */
export function curl(settings, { origin, keyed }) {
  const several = (settings.n ?? 1) > 1;
  const lines = [
    `curl --fail-with-body -H 'Content-Type: application/json' \\`,
    `  -H 'Accept: ${several ? "application/json" : "image/png"}' \\`,
    ...keyed ? [`  -H "Authorization: Bearer $${KEY}" \\`] : [],
    `  -d ${shellText(JSON.stringify(settings))} \\`,
    `  -o ${several ? "pictures.json" : "picture.png"} ${origin}/v1/generate`,
  ];
  return lines.join("\n");
}

/**
 * Formats a program for Node and Deno.
 *
 * @param {Settings} settings
 * @param {Place} place
 * @returns {string}
 */
export function javascript(settings, { origin, keyed }) {
  const key = keyed
    ? `\n    "Authorization": \`Bearer \${process.env.${KEY}}\`,`
    : "";
  const env = keyed ? `import process from "node:process";\n` : "";
  return `import { Buffer } from "node:buffer";
import { writeFile } from "node:fs/promises";
${env}
const response = await fetch("${origin}/v1/generate", {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    "Accept": "application/json",${key}
  },
  body: JSON.stringify(${indented(JSON.stringify(settings, null, 2))}),
});
if (!response.ok) throw new Error(await response.text());
const { images } = await response.json();
for (const [i, { b64_json }] of images.entries()) {
  await writeFile(\`picture-\${i}.png\`, Buffer.from(b64_json, "base64"));
}`;
}

/**
 * Formats a program for Python without dependencies.
 *
 * @param {Settings} settings
 * @param {Place} place
 * @returns {string}
 */
export function python(settings, { origin, keyed }) {
  const key = keyed
    ? `\n    "Authorization": "Bearer " + os.environ["${KEY}"],`
    : "";
  return `import base64, json${keyed ? ", os" : ""}, urllib.request

settings = ${pythonFields(settings)}
headers = {
    "Content-Type": "application/json",
    "Accept": "application/json",${key}
}
request = urllib.request.Request(
    "${origin}/v1/generate", json.dumps(settings).encode(), headers
)
with urllib.request.urlopen(request) as response:
    images = json.load(response)["images"]
for i, image in enumerate(images):
    with open(f"picture-{i}.png", "wb") as file:
        file.write(base64.b64decode(image["b64_json"]))`;
}

/** @param {string} text */
function shellText(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** @param {string} text */
function indented(text) {
  return text.replaceAll("\n", "\n  ");
}

/**
 * Formats the body: text and numbers are written the same in JSON and Python.
 *
 * @param {Settings} settings
 */
function pythonFields(settings) {
  const fields = Object.entries(settings).map(([name, value]) =>
    `    "${name}": ${JSON.stringify(value)},`
  );
  return ["{", ...fields, "}"].join("\n");
}
