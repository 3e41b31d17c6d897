import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  base58,
  requestIdentity,
} from "../../../deploy/workflows/restate/request_identity.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("base58() of known bytes", () => {
  const text = new TextEncoder();
  strictEqual(base58(new Uint8Array()), "");
  strictEqual(base58(text.encode("Hello World!")), "2NEpo7TZRRrLZSi2U");
  strictEqual(base58(Uint8Array.of(0, 0, 0x28, 0x7f, 0xb4, 0xcd)), "11233QC4");
  strictEqual(base58(Uint8Array.of(0, 0)), "11");
});

Deno.test("a folder keeps its key pair, which its owner alone reads", async () => {
  using folder = temporaryFolder();
  using other = temporaryFolder();
  const identity = await requestIdentity(folder.path);
  deepStrictEqual(await requestIdentity(folder.path), identity);
  ok(/^publickeyv1_[1-9A-HJ-NP-Za-km-z]{40,50}$/.test(identity.publicKey));
  const { mode } = await Deno.stat(identity.file);
  strictEqual(mode! & 0o777, 0o600);
  const { publicKey } = await requestIdentity(other.path);
  strictEqual(publicKey === identity.publicKey, false);
});
