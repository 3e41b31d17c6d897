/**
 * The command `models publish`: publishes a checkpoint with its manifest.
 *
 * @module
 */

import { openStore } from "../cache/stores/open_store.ts";
import { makeManifest } from "../publish/make_manifest.ts";
import { publishedFiles, PublishError } from "../publish/published_files.ts";
import { publishToFolder } from "../publish/publish_to_folder.ts";
import { publishToStore } from "../publish/publish_to_store.ts";
import { formatBytes } from "../cache/progress.ts";
import type { Report } from "./report.ts";
import type { Variable } from "../cache/stores/s3/aws_profile.ts";

/** The options of the command. */
export interface PublishCommand {
  /** Folder of the checkpoint. */
  readonly folder: string;
  /** Folder or URL of the target. */
  readonly target: string;
  /** True if other content at the target may be replaced. */
  readonly replace: boolean;
  /** Program that publishes. */
  readonly createdBy: string;
  /** Threads that hash. */
  readonly threads: number;
  /** Looks up an environment variable. */
  readonly variable: Variable;
  /** Cancels the publication. */
  readonly signal: AbortSignal;
}

/**
 * Publishes a folder.
 *
 * @throws {PublishError} When it is not publishable.
 * @throws {RemoteError} When the place does not accept it.
 */
export async function publish(
  command: PublishCommand,
  report: Report,
): Promise<void> {
  const { folder, target, createdBy, threads, signal } = command;
  // Opened first, so that an invalid target fails before hours of hashing.
  const store = storeOf(command);
  const files = await publishedFiles(folder);
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  const counted = (what: string) => {
    let bytes = 0;
    return (more: number) => {
      bytes += more;
      report.progress({ what, bytes, totalBytes });
    };
  };
  const onBytes = counted("hashing");
  const options = { createdBy, threads, onBytes, signal };
  const manifest = await makeManifest(folder, files, options);
  const publication = { manifest, files };
  const { replace } = command;
  const sending = { replace, onBytes: counted("publishing"), signal };
  const { sent, kept } = store === undefined
    ? await publishToFolder(publication, folder, target, sending)
    : await publishToStore(publication, store, sending);
  const { model, revision } = manifest;
  const place = store?.place ?? target;
  report.event(
    {
      event: "published",
      model,
      revision,
      place,
      bytes: totalBytes,
      sent,
      kept,
    },
    `${model} (${
      formatBytes(totalBytes)
    }, revision ${revision}) is published at ` +
      `${place}: ${sent} files sent, ${kept} already there`,
  );
}

function storeOf({ target, variable }: PublishCommand) {
  if (/^(s3|gs):/i.test(target)) {
    try {
      return openStore(target, variable);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new PublishError(`to "${target}"`, cause.message, { cause });
    }
  }
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(target)) return undefined;
  throw new PublishError(
    `to "${target.replace(/\?.*/s, "")}"`,
    "expected a folder, s3://bucket/prefix or gs://bucket/prefix",
  );
}
