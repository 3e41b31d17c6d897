/**
 * The architecture of the program, as rules of imports, sizes and headers.
 *
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";

/** Rules: a name, the files that it binds, and the imports that it forbids. */
const FORBIDDEN: readonly (readonly [string, RegExp, RegExp])[] = [
  [
    "models imports neither lib, functions nor deploy",
    /^models\//,
    /^(lib|functions|deploy)\//,
  ],
  [
    "lib imports neither functions nor deploy",
    /^lib\//,
    /^(functions|deploy)\//,
  ],
  [
    "deploy imports nothing of functions",
    /^deploy\//,
    /^functions\//,
  ],
  [
    "of functions, start_services, workflows and the starts of task deploy and of RunPod's worker alone import deploy",
    /^functions\/(?!models\/start_services\.ts|workflows\/|cli\/deploy\.ts|runpod\/)/,
    /^deploy\//,
  ],
  [
    "functions import nothing of the service of chains but its schemas",
    /^functions\//,
    /^(deploy\/workflows\/(?!schema\/)|@restatedev\/)/,
  ],
  [
    "Hono and what describes its routes stay in functions",
    /^(?!functions\/)/,
    /^(hono\b|hono-openapi$|@valibot\/to-json-schema$)/,
  ],
  [
    "valibot stays in functions, chains and the parsers of configuration",
    /^(?!functions\/|models\/config\/|deploy\/plan\/schema\.ts|deploy\/workflows\/)/,
    /^valibot$/,
  ],
  [
    "ONNX's wire format stays in models/graph",
    /^(?!models\/graph\/)/,
    /^onnx-proto$/,
  ],
  [
    "the tokenizer package stays in lib/text",
    /^(?!lib\/text\/)/,
    /^@huggingface\/tokenizers$/,
  ],
  [
    "picture codecs stay in lib/image/codec",
    /^(?!lib\/image\/codec\/)/,
    /^(imagescript|fast-png|omggif|fflate|gifenc|@jsquash\/.*)$/,
  ],
  [
    "what is beneath does not know what is above it",
    /^lib\/(sampling|image|vision|text|loading|runtime|decoder|engine)\//,
    /^lib\/(emu3\.ts|language_model\.ts|answering\/|drawing\/)/,
  ],
  [
    "the runtime knows nothing of Emu3",
    /^lib\/runtime\//,
    /^(lib\/(?!errors\.ts|async\/|runtime\/)|models\/(?!graph\/))/,
  ],
  [
    "sampling and the grid need nothing that runs",
    /^lib\/(sampling\/|grid\.ts|aspect\.ts)/,
    /^lib\/(runtime|engine|loading|text)\//,
  ],
];

/** Texts that may occur only in the files that they belong to. */
const CONFINED: readonly (readonly [string, RegExp, RegExp])[] = [
  [
    "the environment is read in functions/env.ts, entries and deploy only",
    /^(?!functions\/(env|main|cli\/main)\.ts|deploy\/)/,
    /\bDeno\.env\b/,
  ],
  [
    "native code is called in lib/runtime only",
    /^(?!lib\/runtime\/)/,
    /\bDeno\.(dlopen|Unsafe\w+)\b/,
  ],
  [
    "files are opened in lib/loading, lib/quantization, functions and deploy only, picture codecs their own, and a video is a temporary one",
    /^(?!lib\/(loading|quantization)\/|lib\/image\/codec\/load\.ts|lib\/image\/video\/temporary_file\.ts|functions\/|deploy\/)/,
    /\bDeno\.(open|readFile|readTextFile|readDir|writeFile|stat)\w*\b/,
  ],
  [
    "chance and time come from outside of lib and models",
    /^(lib|models)\//,
    /\b(Math\.random|Date\.now|performance\.now)\(/,
  ],
  ["no type is escaped from", /./, /(:|<|\bas) any\b/],
];

/** Limit of lines per file. A longer one holds two ideas. */
const MAX_LINES = 400;

const ROOT = new URL("..", import.meta.url);
const PROGRAM = ["functions/", "lib/", "models/", "deploy/"];
const program = PROGRAM.flatMap((folder) => [...sources(folder)]);
/** JavaScript files of the page. */
const page = [...sources("functions/playground/", ".js")];
const everything = [...program, ...page, ...sources("tests/")];

for (const [rule, importer, target] of FORBIDDEN) {
  Deno.test(rule, () => {
    const strays = program.filter((path) => importer.test(path)).flatMap(
      (path) =>
        [...imports(path)].filter((specifier) => target.test(specifier))
          .map((specifier) => `${path} imports ${specifier}`),
    );
    deepStrictEqual(strays, []);
  });
}

for (const [rule, path, pattern] of CONFINED) {
  Deno.test(rule, () => {
    const strays = program.filter((file) => path.test(file)).filter((file) =>
      pattern.test(withoutComments(read(file)))
    );
    deepStrictEqual(strays, []);
  });
}

// Deno 2.9 exports the loose functions under these names, even from the strict
// module: `equal(1, "1")` would pass.
Deno.test("tests import strict assertions only", () => {
  const loose = [...sources("tests/")].filter((path) =>
    /import \{[^}]*\b(equal|deepEqual)\b[^}]*\} from "node:assert/.test(
      read(path),
    )
  );
  deepStrictEqual(loose, []);
});

Deno.test(`no file is over ${MAX_LINES} lines`, () => {
  const long = everything.filter((path) =>
    read(path).split("\n").length > MAX_LINES
  );
  deepStrictEqual(long, []);
});

/**
 * Limits of files per folder, and in the root of functions, the entry for
 * readers.
 */
const MAX_FILES = 20;
const MAX_ENTRIES = 12;

Deno.test(`no folder has over ${MAX_FILES} files, the root of functions ${MAX_ENTRIES}`, () => {
  const counts = new Map<string, number>();
  for (const path of [...program, ...page]) {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const full = [...counts].filter(([folder, count]) =>
    count > (folder === "functions/" ? MAX_ENTRIES : MAX_FILES)
  );
  deepStrictEqual(full, []);
});

/** Fewest lines of a file that is no entry. A shorter one belongs to another. */
const MIN_LINES = 25;

/** Shorter files, with their reason. */
const SHORT_FILES: Readonly<Record<string, string>> = {
  "functions/inference/adapters.ts": "it grows with the loading of adapters",
  "lib/version.ts": "a release writes it",
  "models/graph/weightless.ts":
    "graphs and weights import it; a merge closes a cycle",
  "lib/image/codec/zip.ts": "the one adapter of its package",
};

Deno.test(`no file but entries has under ${MIN_LINES} lines`, () => {
  const short = [...program, ...page].filter((path) => {
    const text = read(path);
    return text.split("\n").length - 1 < MIN_LINES && !isEntry(text);
  });
  deepStrictEqual(short.filter((path) => !(path in SHORT_FILES)), []);
});

/** Names of files that are no words of the field, or of no concept. */
const BANNED_NAMES = new RegExp(
  `^(?:${
    [
      "seated|held|obtained|lineup|openers|door|gate|bells|room|\\w+_room",
      "treat|band|foresee|reveal|front_hash|meter|halfway|scene|refusals",
      "drawing_run|drawing_walk|drawing_fields|answer_run|score_run",
      "outside_\\w+|under_way|looking|pause|stage|phases|mixed|least|pace",
      "beside_\\w+|all_or_none|side_by_side|small_first|shown|told|located",
      "lay_over|cuts|claim|law|judge\\w*|patience|settle|hears",
      "utils?|helpers?|types|constants|misc|common_\\w+",
    ].join("|")
  })(?:_test)?\\.ts$`,
);

Deno.test("files are named by words of the field", () => {
  const dialect = [...program, ...sources("tests/")].filter((path) =>
    !path.startsWith("tests/functions/playground/") &&
    BANNED_NAMES.test(path.slice(path.lastIndexOf("/") + 1))
  );
  deepStrictEqual(dialect, []);
});

Deno.test("no exported type has the name of another in its layer", () => {
  const places = new Map<string, Set<string>>();
  const pattern = /^export (?:abstract )?(?:interface|type|class) (\w+)/gm;
  for (const path of program) {
    const layer = path.slice(0, path.indexOf("/") + 1);
    for (const [, name] of read(path).matchAll(pattern)) {
      const key = `${layer} ${name}`;
      places.set(key, (places.get(key) ?? new Set()).add(path));
    }
  }
  const twice = [...places].filter(([, paths]) => paths.size > 1)
    .map(([key, paths]) => [key, ...paths]);
  deepStrictEqual(twice, []);
});

/** First words of doc comments that are questions, or the end of a sentence. */
const RIDDLES =
  /\/\*\*\s*(?:\*\s*)?(What|How|Whether|Who|Whom|Whose|Which|Where|When|Told|Comes)\b/g;

Deno.test("doc comments begin with a verb or a noun", () => {
  const riddles = [...program, ...page].flatMap((path) =>
    [...read(path).matchAll(RIDDLES)].map(([text]) => `${path}: ${text}`)
  );
  deepStrictEqual(riddles, []);
});

Deno.test("imports form no cycle, those of types included", () => {
  deepStrictEqual(cycles(program, allImports), []);
});

Deno.test("imports form no cycle", () => {
  deepStrictEqual(cycles(program), []);
  deepStrictEqual(cycles(page), []);
});

Deno.test("every file of the program has a module header", () => {
  const silent = [...program, ...page].filter((path) =>
    !/^\/\*\*[^]*?@module/.test(read(path))
  );
  deepStrictEqual(silent, []);
});

Deno.test("deno.json pins exactly the packages that are imported", () => {
  const { imports: pinned } = JSON.parse(read("deno.json"));
  const used = new Set(
    everything.flatMap((path) => [...imports(path)])
      .filter((specifier) =>
        !/^(node:|\w+\/.*\.ts$|functions\/playground\/|\/page\/|npm:)/.test(
          specifier,
        )
      )
      .map((specifier) => specifier.match(/^(@[^/]+\/[^/]+|[^/]+)/)![0]),
  );
  // Its files are opened, its code is not imported.
  used.add("onnxruntime-node");
  used.add("swagger-ui-dist");
  const unpinned = Object.entries(pinned).filter(([, target]) =>
    !/@\d+\.\d+\.\d+$/.test(String(target))
  );
  deepStrictEqual(unpinned, []);
  deepStrictEqual(
    [...used].filter((name) => !(name in pinned) && !name.endsWith(".ts"))
      .sort(),
    [],
  );
  deepStrictEqual(
    Object.keys(pinned).filter((name) => !used.has(name)).sort(),
    [],
  );
});

Deno.test("every test belongs to a task of deno.json", () => {
  const { tasks } = JSON.parse(read("deno.json"));
  const commands: string[] = Object.entries(tasks)
    .filter(([name]) => /^test\b/.test(name))
    .map(([, task]) => (task as { command: string }).command);
  const scripts = commands.flatMap((command) =>
    command.startsWith("bash ") ? [read(command.slice("bash ".length))] : []
  );
  const named = [...commands, ...scripts]
    .flatMap((text) => text.match(/\btests\/[\w/*.-]+/g) ?? [])
    .map((path) => path.replace("*_test.ts", ""));
  const forgotten = [...sources("tests/", "_test.ts")].filter((path) => {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    return !named.some((name) =>
      name === path || name === folder ||
      (name !== "tests/" && path.startsWith(`${name.replace(/\/$/, "")}/`))
    );
  });
  deepStrictEqual(forgotten, []);
});

/** Yields the files under `folder` with an ending, as paths from the root. */
function* sources(folder: string, end = ".ts"): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) yield* sources(`${path}/`, end);
    else if (path.endsWith(end)) yield path;
  }
}

/**
 * Yields the imports of `path`: packages by name, files as paths from the root.
 */
function* imports(path: string): Generator<string> {
  const pattern =
    /^(?:import|export)\b[^"';]*\bfrom "([^"]+)"|^import "([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|new URL\("([^"]+\.ts)", import\.meta\.url\)/gm;
  for (const [, ...groups] of read(path).matchAll(pattern)) {
    const specifier = groups.find((group) => group !== undefined)!;
    yield specifier.startsWith(".")
      ? new URL(specifier, new URL(path, ROOT)).href.slice(ROOT.href.length)
      : specifier;
  }
}

/**
 * Returns the files that reach themselves through their imports.
 *
 * @param importsOf Imports that count.
 */
function cycles(
  files: readonly string[],
  importsOf: (path: string) => Iterable<string> = valueImports,
): string[] {
  const graph = new Map(files.map((path) => [path, [...importsOf(path)]]));
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (graph.get(from) ?? []).some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  return files.filter((path) => reaches(path, path, new Set()));
}

/** Files that `path` imports, types included. */
function allImports(path: string): Iterable<string> {
  return filesIn(path, /^(?:import|export)\b[^"';]*\bfrom "(\.[^"]+)"/gm);
}

/** Files that `path` imports for more than their types. */
function valueImports(path: string): Iterable<string> {
  return filesIn(path, /^import (?!type\b)[^"';]*\bfrom "(\.[^"]+)"/gm);
}

/** Yields what `pattern` finds in a file, as paths from the root. */
function* filesIn(path: string, pattern: RegExp): Generator<string> {
  for (const [, specifier] of read(path).matchAll(pattern)) {
    yield new URL(specifier!, new URL(path, ROOT)).href.slice(ROOT.href.length);
  }
}

/** Returns true for a file that a command or a worker starts with. */
function isEntry(text: string): boolean {
  return /import\.meta\.main|addEventListener\("message"|serveMethods\(/.test(
    text,
  );
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}
