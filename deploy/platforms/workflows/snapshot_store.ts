/**
 * The object store of snapshots: its kind, and how nodes get its credentials.
 *
 * @module
 */

import { OptionsError } from "../options.ts";

/** The place of snapshots. */
export interface SnapshotDestination {
  /** Destination of snapshots, such as `s3://bucket/folder`. */
  readonly snapshots: string;
  /** Address of a store that speaks S3; undefined for Amazon's. */
  readonly storeEndpoint: string | undefined;
  /** Region of an S3 store. */
  readonly storeRegion: string | undefined;
}

/** A kind of object store. */
export interface SnapshotStore {
  /** Variables of the credentials, which are keys of the secret. */
  readonly variables: readonly string[];
  /**
   * Variable with the path of a file of credentials, whose content is the key
   * {@linkcode CREDENTIALS} of the secret.
   */
  readonly fileVariable?: string;
}

/** Name of a file of credentials, and of its key in the secret. */
export const CREDENTIALS = "credentials.json";

/** Kinds by the scheme of the destination. */
const STORES: Readonly<Record<string, SnapshotStore>> = {
  "s3:": { variables: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] },
  "gs:": { variables: [], fileVariable: "GOOGLE_APPLICATION_CREDENTIALS" },
  "az:": {
    variables: ["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"],
  },
};

/**
 * Returns the store of the snapshots.
 *
 * @throws {OptionsError} If Restate knows no such store.
 */
export function snapshotStore(
  { snapshots, storeEndpoint, storeRegion }: SnapshotDestination,
): SnapshotStore {
  const url = URL.parse(snapshots);
  const store = STORES[url?.protocol ?? ""];
  if (store === undefined || url === null || url.host === "") {
    throw new OptionsError(
      `snapshots is "${snapshots}", expected s3://, gs:// or az:// with a bucket: Restate takes no folder`,
    );
  }
  const own = storeEndpoint !== undefined || storeRegion !== undefined;
  if (own && url.protocol !== "s3:") {
    throw new OptionsError(
      "storeEndpoint and storeRegion are for s3://; remove them",
    );
  }
  return store;
}

/** Returns the commands' part that fills the secret of the store. */
export function storeSecretLiterals(store: SnapshotStore): string[] {
  return [
    ...store.variables.map((name) => `--from-literal=${name}="$${name}"`),
    ...store.fileVariable === undefined
      ? []
      : [`--from-file=${CREDENTIALS}="$${store.fileVariable}"`],
  ];
}
