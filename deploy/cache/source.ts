/**
 * What is meant by the name of a model's source.
 *
 * ```text
 * /models/Emu3-Gen, ./Emu3-Gen, file:///models/Emu3-Gen     a folder
 * org/name, org/name@revision, hf://org/name@revision       files of a hub
 * s3://bucket/prefix, gs://bucket/prefix                    objects of a store
 * https://host/path                                         files of a site
 * ```
 *
 * Several, with commas or spaces between, are mirrors of one model, asked in
 * order. Says nothing of what is really there.
 *
 * @module
 */

import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** A folder of this machine. */
export interface FolderSource {
  /** Which kind it is. */
  readonly type: "folder";
  /** As it was written. */
  readonly text: string;
  /** Where it is. */
  readonly path: string;
  /** What the model is called. */
  readonly name: string;
}

/** A repository of a hub. */
export interface HubSource {
  /** Which kind it is. */
  readonly type: "hub";
  /** As it was written. */
  readonly text: string;
  /** Who publishes it. */
  readonly owner: string;
  /** What the model is called. */
  readonly name: string;
  /** A branch, tag or commit. */
  readonly revision: string;
}

/** What lies under a URL: objects of a store, or files of a site. */
export interface UrlSource {
  /** Its scheme. */
  readonly type: "s3" | "gs" | "https";
  /** As it was written. */
  readonly text: string;
  /** Without a slash at its end; may hold secrets in its query. */
  readonly url: string;
  /** What the model is called. */
  readonly name: string;
}

/** A source on the network. */
export type RemoteSource = HubSource | UrlSource;

/** Where a model may come from. */
export type Source = FolderSource | RemoteSource;

/** `org/name`, perhaps with a revision; dots cannot lead out of a folder. */
const REPOSITORY =
  /^(?<owner>[A-Za-z0-9][\w.-]*)\/(?<name>[A-Za-z0-9_][\w.-]*?)(?:@(?<revision>[\w./-]+))?$/;

/** A leading scheme; one letter is a Windows drive. */
const SCHEME = /^(?<scheme>[a-z][a-z0-9+.-]+):\/\//i;

/**
 * The sources that `text` lists.
 *
 * @throws {SyntaxError} When one is none, saying what would be.
 */
export function parseSources(text: string): readonly Source[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  if (parts.length === 0) throw new SyntaxError("expected a source");
  return parts.map(parseSource);
}

/**
 * The source that `text` names.
 *
 * @throws {SyntaxError} When it is none, saying what would be.
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

/** `text` as people and logs may see it: without what a URL keeps secret. */
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

/** `text` as a folder may be called; perhaps nothing. */
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
    // Not encoded, just a percent sign.
    return text;
  }
}
