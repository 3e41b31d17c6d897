import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { RemoteError } from "../../../../../deploy/cache/net/remote.ts";
import { awsCredentials } from "../../../../../deploy/cache/stores/s3/aws_credentials.ts";
import { type Answers, openAnswers } from "../../../../support/answers.ts";
import { temporaryFolder } from "../../../../support/temporary_folder.ts";
import type { AwsCredentials } from "../../../../../deploy/cache/stores/s3/aws_profile.ts";

const OFF = { AWS_EC2_METADATA_DISABLED: "true" };
const LATER = "2030-01-01T00:00:00Z";

function ask(variables: Readonly<Record<string, string>>, now = () => 0) {
  return awsCredentials((name) => variables[name], now);
}

async function failure(variables: Readonly<Record<string, string>>) {
  const error = await ask(variables)().then(() => undefined, (error) => error);
  ok(error instanceof RemoteError, String(error));
  return error;
}

function keys(id: string, expiresAt: number | undefined): AwsCredentials {
  return {
    accessKeyId: id,
    secretAccessKey: "secret",
    sessionToken: "token",
    expiresAt,
  };
}

function json(id: string, expiration = LATER): Response {
  return Response.json({
    AccessKeyId: id,
    SecretAccessKey: "secret",
    Token: "token",
    Expiration: expiration,
  });
}

/**
 * Starts a container's service that responds with `answers`, one after the
 * other.
 */
function container(answers: Answers): Record<string, string> {
  return {
    ...OFF,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${answers.url}/creds`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: "Basic abc",
  };
}

Deno.test("awsCredentials() prefers keys of variables, and returns none without a source", async () => {
  const variables = {
    AWS_ACCESS_KEY_ID: "id",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_SESSION_TOKEN: "token",
    AWS_WEB_IDENTITY_TOKEN_FILE: "/none",
    AWS_ROLE_ARN: "role",
  };
  deepStrictEqual(await ask(variables)(), keys("id", undefined));
  strictEqual(await ask(OFF)(), undefined);
});

Deno.test("awsCredentials() assumes a role with the platform's token", async () => {
  using folder = temporaryFolder();
  await using answers = openAnswers(() =>
    new Response(
      `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <AssumeRoleWithWebIdentityResult><Credentials>
          <AccessKeyId>id</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
          <SessionToken>token</SessionToken><Expiration>${LATER}</Expiration>
        </Credentials></AssumeRoleWithWebIdentityResult>
      </AssumeRoleWithWebIdentityResponse>`,
    )
  );
  const variables = {
    AWS_WEB_IDENTITY_TOKEN_FILE: folder.write("token", "a.jwt\n"),
    AWS_ROLE_ARN: "arn:aws:iam::1:role/r",
    AWS_ENDPOINT_URL_STS: answers.url,
  };
  deepStrictEqual(await ask(variables)(), keys("id", Date.parse(LATER)));
  const form = new URLSearchParams(answers.asked[0]!.body);
  strictEqual(form.get("Action"), "AssumeRoleWithWebIdentity");
  strictEqual(form.get("WebIdentityToken"), "a.jwt");
  strictEqual(form.get("RoleArn"), "arn:aws:iam::1:role/r");
});

Deno.test("awsCredentials() reports why it cannot assume a role, without the token", async () => {
  using folder = temporaryFolder();
  await using answers = openAnswers(() =>
    new Response(
      "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
      { status: 403 },
    )
  );
  const variables = {
    AWS_WEB_IDENTITY_TOKEN_FILE: folder.write("token", "a.jwt"),
    AWS_ROLE_ARN: "r",
    AWS_ENDPOINT_URL_STS: answers.url,
  };
  const refused = await failure(variables);
  match(
    refused.message,
    /Cannot assume the role .*403 AccessDenied.*check the role/,
  );
  ok(!refused.message.includes("a.jwt"));
  const gone = { ...variables, AWS_WEB_IDENTITY_TOKEN_FILE: "/none" };
  match(
    (await failure(gone)).message,
    /Cannot read the file that AWS_WEB_IDENTITY_TOKEN_FILE names/,
  );
  answers.answer = () => new Response("<Other/>");
  match((await failure(variables)).message, /has no keys; check the role/);
});

Deno.test("awsCredentials() requests the container's service, with its token", async () => {
  using folder = temporaryFolder();
  await using answers = openAnswers(() => json("id"));
  const variables = container(answers);
  deepStrictEqual(await ask(variables)(), keys("id", Date.parse(LATER)));
  const file = folder.write("token", "from a file\n");
  await ask({ ...variables, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file })();
  deepStrictEqual(
    answers.asked.map(({ headers }) => headers.get("authorization")),
    ["Basic abc", "from a file"],
  );
  for (
    const [answer, type] of [
      [() => new Response("", { status: 503 }), "retry"],
      [() => new Response("", { status: 404 }), "elsewhere"],
      [() => new Response("{"), "elsewhere"],
      [() => Response.json({ AccessKeyId: 1 }), "elsewhere"],
    ] as const
  ) {
    answers.answer = answer;
    strictEqual((await failure(variables)).remedy.type, type);
  }
});

Deno.test("awsCredentials() requests the machine's keys by IMDSv2, and accepts a machine without a role", async () => {
  const role = "/latest/meta-data/iam/security-credentials/";
  await using answers = openAnswers(({ method, path, headers }) => {
    if (path === "/latest/api/token" && method === "PUT") {
      return new Response(
        headers.has("x-aws-ec2-metadata-token-ttl-seconds") ? "t" : "",
      );
    }
    if (headers.get("x-aws-ec2-metadata-token") !== "t") {
      return new Response("", { status: 401 });
    }
    return path === role ? new Response("my-role\n") : json("id");
  });
  const variables = { AWS_EC2_METADATA_SERVICE_ENDPOINT: answers.url };
  deepStrictEqual(await ask(variables)(), keys("id", Date.parse(LATER)));
  strictEqual(answers.asked.at(-1)!.path, `${role}my-role`);
  const { answer } = answers;
  answers.answer = (asked) =>
    asked.path === role ? new Response("", { status: 404 }) : answer(asked);
  strictEqual(await ask(variables)(), undefined);
  answers.answer = () => new Response("", { status: 403 });
  strictEqual(await ask(variables)(), undefined);
});

Deno.test("awsCredentials() reads the profile that AWS_PROFILE names", async () => {
  using folder = temporaryFolder();
  const file = folder.write(
    ".aws/credentials",
    `# mine
[default]
aws_access_key_id = one
aws_secret_access_key=secret
aws_session_token = token

[ work ]
AWS_ACCESS_KEY_ID = two
aws_secret_access_key = secret
aws_session_token = token
[half]
aws_access_key_id = three
`,
  );
  const home = { ...OFF, HOME: folder.path };
  deepStrictEqual(await ask(home)(), keys("one", undefined));
  const work = {
    ...OFF,
    AWS_SHARED_CREDENTIALS_FILE: file,
    AWS_PROFILE: "work",
  };
  deepStrictEqual(await ask(work)(), keys("two", undefined));
  strictEqual(await ask({ ...home, AWS_PROFILE: "half" })(), undefined);
  strictEqual(await ask({ ...home, AWS_PROFILE: "none" })(), undefined);
});

Deno.test("awsCredentials() renews keys before they expire and after a failure, not otherwise", async () => {
  let asked = 0;
  await using answers = openAnswers(() =>
    json(`id${++asked}`, new Date(3_600_000 * asked).toISOString())
  );
  let now = 0;
  const credentials = ask(container(answers), () => now);
  const id = async () => (await credentials())?.accessKeyId;
  deepStrictEqual(await Promise.all([id(), id()]), ["id1", "id1"]);
  now = 3_200_000;
  strictEqual(await id(), "id1");
  now = 3_400_000;
  strictEqual(await id(), "id2");
  strictEqual(await id(), "id2");
  const { answer } = answers;
  answers.answer = () => new Response("", { status: 500 });
  now = 7_100_000;
  await rejects(credentials(), RemoteError);
  answers.answer = answer;
  strictEqual(await id(), "id3");
});
