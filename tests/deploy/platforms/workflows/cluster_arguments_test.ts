/**
 * The tests of the command line of a cluster, and of its identity key.
 *
 * @module
 */

import { match, rejects, strictEqual, throws } from "node:assert/strict";
import { UsageError } from "../../../../lib/command_line.ts";
import { OptionsError } from "../../../../deploy/platforms/options.ts";
import {
  CLUSTER_USAGE,
  parseClusterArguments,
  renderCluster,
} from "../../../../deploy/platforms/workflows/cluster_arguments.ts";
import { identityPublicKey } from "../../../../deploy/platforms/workflows/identity_key.ts";

const LINE = ["--image", "emu3", "--snapshots", "s3://b/x", "--dry-run"];

const MISUSED: readonly [readonly string[], RegExp][] = [
  [[], /expected kubernetes or compose, found ""/],
  [["fly", ...LINE], /expected kubernetes or compose, found "fly"/],
  [["compose", "x", ...LINE], /"x" is unexpected/],
  [["compose", ...LINE.slice(2)], /--image is missing/],
  [["compose", "--image", "emu3", "--dry-run"], /--snapshots is missing/],
  [["compose", ...LINE, "--out", "x"], /expected either --dry-run or --out/],
  [["compose", ...LINE, "--nodes", "x"], /--nodes "x" is not a whole number/],
  [["compose", ...LINE, "--frobnicate"], /option --frobnicate/],
  [["identity-key"], /the file is missing/],
];

for (const [line, message] of MISUSED) {
  Deno.test(`deploy workflows ${line.join(" ")} is refused`, () => {
    throws(() => parseClusterArguments(line), (error) => {
      match(String(error), message);
      match(String(error), /Usage: deno task deploy workflows/);
      return error instanceof UsageError;
    });
  });
}

const REFUSED: readonly [readonly string[], RegExp][] = [
  [["--nodes", "2"], /nodes is 2, expected 3 or a larger odd number/],
  [["--nodes", "4"], /nodes is 4/],
  [["--replication", "1"], /replication is 1, expected 2 to 2/],
  [["--replication", "3"], /replication is 3/],
  [["--memory-mib", "256"], /memoryMib is 256, expected at least 512/],
  [["--snapshots", "file:///x"], /expected s3:\/\/, gs:\/\/ or az:\/\//],
  [["--snapshots", "s3:x"], /with a bucket/],
  [["--snapshot-interval", "soon"], /snapshotInterval is "soon"/],
  [["--snapshots", "gs://b", "--store-region", "x"], /are for s3:\/\//],
  [["--store-endpoint", "minio"], /"minio" is not an address/],
  [["--emu3-url", "emu3"], /"emu3" is not an address/],
  [["--store-cidr", "10.0.0.1"], /"10.0.0.1" is not a CIDR block/],
  [["--image", "A b"], /not the reference of an image/],
  [["--name", "A_b"], /not a valid name/],
  [["--namespace", "A_b"], /not a valid name/],
  [[], /storeCidrs is missing: give the addresses of the object store/],
];

for (const [words, message] of REFUSED) {
  Deno.test(`a cluster with ${words.join(" ") || "no --store-cidr"} is refused`, () => {
    const parsed = parseClusterArguments(["kubernetes", ...LINE, ...words]);
    throws(() => {
      if (parsed.type === "render") {
        renderCluster(parsed.platform, parsed.options);
      }
    }, (error) => {
      match(String(error), message);
      return error instanceof OptionsError;
    });
  });
}

Deno.test("--help of deploy workflows states the defaults", () => {
  const parsed = parseClusterArguments(["kubernetes", ...LINE]);
  if (parsed.type !== "render") throw new Error("nothing to render");
  const { options } = parsed;
  const stated = {
    name: options.name,
    nodes: options.nodes,
    replication: options.replication,
    partitions: options.partitions,
    "memory-mib": options.memoryMib,
    cpus: options.cpus,
    "storage-gib": options.storageGib,
    replicas: options.replicas,
    "snapshot-interval": options.snapshotInterval,
    "snapshot-records": options.snapshotRecords,
  };
  for (const [option, value] of Object.entries(stated)) {
    match(CLUSTER_USAGE, new RegExp(`^  --${option} .*\\b${value}\\)`, "m"));
  }
});

Deno.test("identityPublicKey() returns the key that Restate's log names", async () => {
  // Made by OpenSSL 3; Restate 1.7.12 logged the public key.
  const pem = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIB6oTNlsQiPZ+D0pswHslSEDJFVxwgHZpq2eGV0N2UL5
-----END PRIVATE KEY-----
`;
  strictEqual(
    await identityPublicKey(pem),
    "publickeyv1_3RNcGzqyk39S1Z3KQTHdDjZrmPx8NBXfPR4Q76zhi12k",
  );
});

Deno.test("identityPublicKey() refuses what is no such key", async () => {
  const wrong =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vu\n-----END PRIVATE KEY-----\n";
  for (const text of ["", "ssh-ed25519 AAAA", wrong]) {
    await rejects(identityPublicKey(text), (error) => {
      match(String(error), /no private Ed25519 key; create one with: openssl/);
      return error instanceof OptionsError;
    });
  }
});
