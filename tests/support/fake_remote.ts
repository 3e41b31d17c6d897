/**
 * The fake remote: an object whose listing and contents a test provides.
 *
 * @module
 */

import {
  type Remote,
  RemoteError,
  type RemoteFile,
} from "../../deploy/cache/net/remote.ts";
import type { OpenRemoteOf } from "../../deploy/cache/net/remote_for.ts";
import { sha256Of } from "./hub_server.ts";

/** Creates the listing of a file, with its hash. */
export function listed(
  path: string,
  content: Uint8Array<ArrayBuffer>,
): RemoteFile {
  const sha256 = sha256Of(content);
  return { path, size: content.length, sha256, etag: sha256 };
}

/** Creates a remote with `files` at `commit`. */
export function fakeRemote(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  commit = "f".repeat(40),
): Remote {
  return {
    place: "a fake",
    list: () =>
      Promise.resolve({
        commit,
        files: [...files].map(([path, content]) => listed(path, content)),
      }),
    read: ({ path }, { start, end }) => {
      const content = files.get(path)!.slice(start, end);
      return Promise.resolve(new Blob([content]).stream());
    },
  };
}

/**
 * Returns an opener of remotes by the text of their source; others do not
 * exist.
 */
export function opening(
  remotes: Readonly<Record<string, Remote>>,
): OpenRemoteOf {
  return ({ text }) => {
    const remote = remotes[text];
    if (remote !== undefined) {
      return Promise.resolve({ remote, [Symbol.dispose]: () => {} });
    }
    throw new RemoteError(`Cannot open ${text}: no test source has this name`, {
      type: "elsewhere",
    });
  };
}
