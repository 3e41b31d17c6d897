import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { generateKeyPairSync, verify } from "node:crypto";
import { RemoteError } from "../../../../../deploy/cache/net/remote.ts";
import { gcsToken } from "../../../../../deploy/cache/stores/gcs/gcs_token.ts";
import { openAnswers } from "../../../../support/answers.ts";
import { temporaryFolder } from "../../../../support/temporary_folder.ts";

/** An address without a server. */
const NOWHERE = { GCE_METADATA_HOST: "127.0.0.1:1" };

function ask(variables: Readonly<Record<string, string>>, now = () => 0) {
  return gcsToken((name) => variables[name], now);
}

async function failure(variables: Readonly<Record<string, string>>) {
  const error = await ask(variables)().then(() => undefined, (error) => error);
  ok(error instanceof RemoteError, String(error));
  return error;
}

function granted(token: string, seconds = 3600): Response {
  return Response.json({ access_token: token, expires_in: seconds });
}

Deno.test("gcsToken() reads a token from its variable, and returns none without a source", async () => {
  strictEqual(await ask({ GOOGLE_OAUTH_ACCESS_TOKEN: "t" })(), "t");
  strictEqual(await ask(NOWHERE)(), undefined);
});

Deno.test("gcsToken() signs for a service account so that its public key verifies", async () => {
  using folder = temporaryFolder();
  await using answers = openAnswers(() => granted("theirs"));
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const account = {
    type: "service_account",
    "client_email": "me@project",
    "private_key": privateKey,
    "private_key_id": "k1",
    "token_uri": `${answers.url}/token`,
  };
  const path = folder.write("key.json", JSON.stringify(account));
  const variables = { GOOGLE_APPLICATION_CREDENTIALS: path };
  strictEqual(await ask(variables, () => 5_000_500)(), "theirs");
  const form = new URLSearchParams(answers.asked[0]!.body);
  strictEqual(
    form.get("grant_type"),
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
  );
  const [header, claims, signature] = form.get("assertion")!.split(".");
  ok(verify(
    "sha256",
    new TextEncoder().encode(`${header}.${claims}`),
    publicKey,
    Uint8Array.fromBase64(signature!, { alphabet: "base64url" }),
  ));
  const said = JSON.parse(atob(claims!));
  strictEqual(said.iss, "me@project");
  strictEqual(said.aud, account.token_uri);
  strictEqual(said.iat, 5000);
  strictEqual(said.exp, 8600);
  match(said.scope, /devstorage\.read_write$/);
});

Deno.test("gcsToken() refreshes a user's token from gcloud's file", async () => {
  using folder = temporaryFolder();
  await using answers = openAnswers(() => granted("theirs"));
  const person = {
    type: "authorized_user",
    "client_id": "c",
    "client_secret": "s",
    "refresh_token": "r",
    "token_uri": answers.url,
  };
  const text = JSON.stringify(person);
  folder.write(".config/gcloud/application_default_credentials.json", text);
  strictEqual(await ask({ HOME: folder.path })(), "theirs");
  const form = new URLSearchParams(answers.asked[0]!.body);
  strictEqual(form.get("refresh_token"), "r");
});

Deno.test("gcsToken() requests the metadata server, again before a token expires", async () => {
  let asked = 0;
  await using answers = openAnswers(({ headers }) =>
    headers.get("metadata-flavor") === "Google"
      ? granted(`t${++asked}`)
      : new Response("", { status: 403 })
  );
  let now = 0;
  const host = new URL(answers.url).host;
  const token = ask({ GCE_METADATA_HOST: host }, () => now);
  strictEqual(await token(), "t1");
  now = 3_200_000;
  strictEqual(await token(), "t1");
  now = 3_400_000;
  strictEqual(await token(), "t2");
  answers.answer = () => new Response("", { status: 500 });
  now = 7_100_000;
  await rejects(token(), RemoteError);
  answers.answer = () => granted("t3");
  strictEqual(await token(), "t3");
  answers.answer = () => new Response("", { status: 404 });
  strictEqual(await ask({ GCE_METADATA_HOST: host })(), undefined);
});

Deno.test("gcsToken() reports the fault of a file, and never its content", async () => {
  using folder = temporaryFolder();
  await using answers = openAnswers(() => new Response("", { status: 400 }));
  const files: Record<string, RegExp> = {
    "not JSON s3cr3t": /cannot be read as JSON; check the path/,
    [JSON.stringify({ type: "external_account", x: "s3cr3t" })]:
      /type "external_account" is not.*GOOGLE_OAUTH_ACCESS_TOKEN/,
    [JSON.stringify({ type: "service_account", private_key: "s3cr3t" })]:
      /its private key cannot be read/,
    [
      JSON.stringify({
        type: "authorized_user",
        "refresh_token": "s3cr3t",
        "token_uri": answers.url,
      })
    ]: /Cannot get a token from Google: .*401.*check the service account/,
  };
  for (const [text, message] of Object.entries(files)) {
    const path = folder.write("key.json", text);
    const error = await failure({ GOOGLE_APPLICATION_CREDENTIALS: path });
    match(error.message, message);
    ok(!error.message.includes("s3cr3t"));
    strictEqual(error.remedy.type, "elsewhere");
  }
  const path = "/none.json";
  await rejects(ask({ GOOGLE_APPLICATION_CREDENTIALS: path })(), /none\.json/);
});
