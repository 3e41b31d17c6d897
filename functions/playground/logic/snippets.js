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
 * Formats a curl command. Several pictures arrive as JSON.
 *
 * @param {Settings} settings
 * @param {Place} place
 * @returns {string}
 */
export function curl(settings, { origin, keyed }) {
  const several = (settings.n ?? 1) > 1;
  const clip = isClip(settings);
  const type = clip ? "image/apng" : "image/png";
  const file = clip ? "clip.apng" : "picture.png";
  const lines = [
    `curl --fail-with-body -H 'Content-Type: application/json' \\`,
    `  -H 'Accept: ${several ? "application/json" : type}' \\`,
    ...keyed ? [`  -H "Authorization: Bearer $${KEY}" \\`] : [],
    `  -d ${shellText(JSON.stringify(settings))} \\`,
    `  -o ${several ? "pictures.json" : file} ${origin}/v1/generate`,
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
  const { list, name, ending } = namesOf(settings);
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
const { ${list} } = await response.json();
for (const [i, { b64_json }] of ${list}.entries()) {
  await writeFile(\`${name}-\${i}.${ending}\`, Buffer.from(b64_json, "base64"));
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
  const { list, item, name, ending } = namesOf(settings);
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
    ${list} = json.load(response)["${list}"]
for i, ${item} in enumerate(${list}):
    with open(f"${name}-{i}.${ending}", "wb") as file:
        file.write(base64.b64decode(${item}["b64_json"]))`;
}

/** @param {Settings} settings */
function isClip({ frames = 1 }) {
  return frames > 1;
}

/**
 * Returns the list of the answer, and the names of its files.
 *
 * @param {Settings} settings
 */
function namesOf(settings) {
  return isClip(settings)
    ? { list: "clips", item: "clip", name: "clip", ending: "apng" }
    : { list: "images", item: "image", name: "picture", ending: "png" };
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
