/**
 * The parser of model sources.
 *
 * ```text
 * /models/Emu3-Gen, ./Emu3-Gen, file:///models/Emu3-Gen     a folder
 * org/name, org/name@revision, hf://org/name@revision       files of a hub
 * s3://bucket/prefix, gs://bucket/prefix                    objects of a store
 * https://host/path                                         files of a site
 * ```
 *
 * Several sources, separated by commas or spaces, are mirrors of one model,
 * tried in order. The parser does not check that a source exists.
 *
 * @module
 */

import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** A folder of this machine. */
export interface FolderSource {
  /** Discriminant of the union. */
  readonly type: "folder";
  /** Text as written. */
  readonly text: string;
  /** Path of the folder. */
  readonly path: string;
  /** Name of the model. */
  readonly name: string;
}

/** A repository of a hub. */
export interface HubSource {
  /** Discriminant of the union. */
  readonly type: "hub";
  /** Text as written. */
  readonly text: string;
  /** Owner of the repository. */
  readonly owner: string;
  /** Name of the model. */
  readonly name: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** A URL with objects of a store, or files of a site. */
export interface UrlSource {
  /** Scheme of the URL. */
  readonly type: "s3" | "gs" | "https";
  /** Text as written. */
  readonly text: string;
  /** URL without a trailing slash; may hold secrets in its query. */
  readonly url: string;
  /** Name of the model. */
  readonly name: string;
}

/** A source on the network. */
export type RemoteSource = HubSource | UrlSource;

/** A source of a model. */
export type Source = FolderSource | RemoteSource;

/**
 * Pattern of `org/name`, perhaps with a revision; dots cannot lead out of a
 * folder.
 */
const REPOSITORY =
  /^(?<owner>[A-Za-z0-9][\w.-]*)\/(?<name>[A-Za-z0-9_][\w.-]*?)(?:@(?<revision>[\w./-]+))?$/;

/** Pattern of a leading scheme; one letter is a Windows drive. */
const SCHEME = /^(?<scheme>[a-z][a-z0-9+.-]+):\/\//i;

/**
 * Parses the sources that `text` lists.
 *
 * @throws {SyntaxError} When one is invalid, with the valid forms.
 */
export function parseSources(text: string): readonly Source[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  if (parts.length === 0) {
    throw new SyntaxError("expected a folder, org/name or a URL");
  }
  return parts.map(parseSource);
}

/**
 * Parses the source that `text` names.
 *
 * @throws {SyntaxError} When it is invalid, with the valid forms.
 */
export function parseSource(text: string): Source {
  const scheme = SCHEME.exec(text)?.groups?.["scheme"]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return hubSource(text, text) ?? folderSource(text, text);
    case "file":
      return folderSource(text, pathOf(text));
    case "hf": {
      const source = hubSource(text, text.slice("hf://".length));
      if (source !== undefined) return source;
      throw new SyntaxError(
        `expected hf://org/name or hf://org/name@revision, not "${text}"`,
      );
    }
    case "s3":
    case "gs":
    case "https":
      return urlSource(text, scheme);
    default:
      throw new SyntaxError(
        `expected a folder, org/name, hf://, s3://, gs://, https:// or file://, not "${
          withoutSecrets(text)
        }"`,
      );
  }
}

/** Returns `text` for display and logs: without the secrets of a URL. */
export function withoutSecrets(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]+:\/\/)[^/?#]*@/i, "$1")
    .replace(/^([a-z][a-z0-9+.-]+:\/\/[^?#]*)[?#].*$/i, "$1");
}

function folderSource(text: string, path: string): FolderSource {
  return { type: "folder", text, path, name: basename(path) };
}

function hubSource(text: string, repository: string): HubSource | undefined {
  const groups = REPOSITORY.exec(repository)?.groups;
  if (groups === undefined) return undefined;
  const { owner, name, revision = "main" } = groups;
  const apart = revision.split("/");
  if (apart.some((part) => part === "" || /^\.+$/.test(part))) return undefined;
  return { type: "hub", text, owner: owner!, name: name!, revision };
}

function urlSource(text: string, type: UrlSource["type"]): UrlSource {
  const url = URL.parse(text);
  const path = url?.pathname.replace(/\/+$/, "") ?? "";
  if (url === null || url.host === "") {
    throw new SyntaxError(
      `expected ${type}://…/name, not "${withoutSecrets(text)}"`,
    );
  }
  url.pathname = path;
  const name = plainName(decode(path.split("/").at(-1)!)) ||
    plainName(url.hostname) || "model";
  return { type, text, url: url.href, name };
}

/** Returns `text` as a name for a folder; perhaps empty. */
function plainName(text: string): string {
  return text.replaceAll(/[^\w.-]+/g, "-").replace(/^[.-]+/, "");
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new SyntaxError(`expected file:///folder, not "${url}"`, { cause });
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A plain percent sign, not an encoding.
    return text;
  }
}
