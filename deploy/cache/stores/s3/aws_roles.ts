/**
 * The temporary keys that a platform lends to its workloads.
 *
 * @module
 */

import { type Remedy, RemoteError } from "../../net/remote.ts";
import { refusal, unanswered } from "../answer.ts";
import { boundedText } from "../bounded_text.ts";
import { documentElement, type Element, errorCode, textOf } from "./s3_xml.ts";
import type { AwsCredentials, Variable } from "./aws_profile.ts";

const CONTAINER_HOST = "http://169.254.170.2";
const INSTANCE_HOST = "http://169.254.169.254";

/** Timeout in milliseconds: outside Amazon nothing responds. */
const INSTANCE_TIMEOUT_MS = 1000;
const TIMEOUT_MS = 10_000;

/** Bytes of a response; keys and tokens are shorter. */
const ANSWER_BYTES = 2 ** 16;

const NEVER = new AbortController().signal;

const ELSEWHERE: Remedy = { type: "elsewhere" };

/** Requests keys of a role with a token that the platform signs. */
export async function fromWebIdentity(
  variable: Variable,
): Promise<AwsCredentials | undefined> {
  const file = variable("AWS_WEB_IDENTITY_TOKEN_FILE");
  const role = variable("AWS_ROLE_ARN");
  if (!file || !role) return undefined;
  const region = variable("AWS_REGION") || variable("AWS_DEFAULT_REGION");
  const endpoint = variable("AWS_ENDPOINT_URL_STS") ||
    (region
      ? `https://sts.${region}.amazonaws.com`
      : "https://sts.amazonaws.com");
  const token = await readToken(file, "AWS_WEB_IDENTITY_TOKEN_FILE");
  const what = "assume the role that AWS_ROLE_ARN names";
  const answer = await fetchSuccess(what, endpoint, {
    method: "POST",
    body: new URLSearchParams({
      Action: "AssumeRoleWithWebIdentity",
      Version: "2011-06-15",
      RoleArn: role,
      RoleSessionName: variable("AWS_ROLE_SESSION_NAME") || "emu3",
      WebIdentityToken: token,
    }),
  });
  const keys = within(documentElement(answer)?.element ?? {}, [
    "AssumeRoleWithWebIdentityResult",
    "Credentials",
  ]);
  return credentials(what, {
    accessKeyId: textOf(keys, "AccessKeyId"),
    secretAccessKey: textOf(keys, "SecretAccessKey"),
    token: textOf(keys, "SessionToken"),
    expiration: textOf(keys, "Expiration"),
  });
}

/** Requests the keys of the task or the pod. */
export async function fromContainer(
  variable: Variable,
): Promise<AwsCredentials | undefined> {
  const relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const url = relative
    ? `${CONTAINER_HOST}${relative}`
    : variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!url) return undefined;
  const file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  const token = file
    ? await readToken(file, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    : variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const what = "get the container's credentials";
  const headers: HeadersInit = token ? { authorization: token } : {};
  return fromJson(what, await fetchSuccess(what, url, { headers }));
}

/** Requests the keys of the machine; undefined outside Amazon. */
export async function fromInstance(
  variable: Variable,
): Promise<AwsCredentials | undefined> {
  if (variable("AWS_EC2_METADATA_DISABLED")?.toLowerCase() === "true") {
    return undefined;
  }
  const host = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") || INSTANCE_HOST;
  const at = (path: string) => new URL(path, host).href;
  let token: string;
  try {
    const answer = await fetch(at("/latest/api/token"), {
      method: "PUT",
      headers: { "x-aws-ec2-metadata-token-ttl-seconds": "21600" },
      signal: AbortSignal.timeout(INSTANCE_TIMEOUT_MS),
    });
    const context = { what: "get a token of the instance", access: "" };
    token = await boundedText(context, answer, ANSWER_BYTES, NEVER);
    if (!answer.ok) return undefined;
  } catch {
    // No metadata service: this machine is not Amazon's.
    return undefined;
  }
  const what = "get the instance's credentials";
  const headers = { "x-aws-ec2-metadata-token": token };
  const roles = at("/latest/meta-data/iam/security-credentials/");
  const found = await fetchText(what, roles, { headers });
  // The machine has no role.
  if (found.status === 404) return undefined;
  if (!found.ok) throw refused(what, found.answer);
  const [role = ""] = found.text.trim().split("\n");
  return fromJson(
    what,
    await fetchSuccess(what, `${roles}${role}`, { headers }),
  );
}

function fromJson(what: string, written: string): AwsCredentials {
  let fields: Record<string, unknown>;
  try {
    fields = { ...JSON.parse(written) };
  } catch {
    // Missing fields are reported below.
    fields = {};
  }
  const text = (name: string) => {
    const value = fields[name];
    return typeof value === "string" ? value : "";
  };
  return credentials(what, {
    accessKeyId: text("AccessKeyId"),
    secretAccessKey: text("SecretAccessKey"),
    token: text("Token"),
    expiration: text("Expiration"),
  });
}

function credentials(
  what: string,
  keys: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly token: string;
    readonly expiration: string;
  },
): AwsCredentials {
  const { accessKeyId, secretAccessKey, token, expiration } = keys;
  if (accessKeyId === "" || secretAccessKey === "") {
    throw new RemoteError(
      `Cannot ${what}: the response has no keys; check the role`,
      ELSEWHERE,
    );
  }
  const expiresAt = Date.parse(expiration);
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: token || undefined,
    expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt,
  };
}

async function fetchSuccess(
  what: string,
  url: string,
  init: RequestInit,
): Promise<string> {
  const found = await fetchText(what, url, init);
  if (!found.ok) throw refused(what, found.answer, errorCode(found.text));
  return found.text;
}

async function fetchText(what: string, url: string, init: RequestInit) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const answer = await fetch(url, { ...init, redirect: "manual", signal });
    const context = { what, access: "" };
    const text = await boundedText(context, answer, ANSWER_BYTES, signal);
    return { ok: answer.ok, status: answer.status, answer, text };
  } catch (cause) {
    if (cause instanceof RemoteError) throw cause;
    throw unanswered({ what, access: "" }, cause, NEVER);
  }
}

function refused(what: string, answer: Response, code?: string): RemoteError {
  return refusal({ what, access: "check the role" }, answer, code);
}

async function readToken(file: string, name: string): Promise<string> {
  try {
    return (await Deno.readTextFile(file)).trim();
  } catch (cause) {
    throw new RemoteError(
      `Cannot read the file that ${name} names; check the path`,
      ELSEWHERE,
      { cause },
    );
  }
}

function within(element: Element, names: readonly string[]): Element {
  let inner = element;
  for (const name of names) {
    const value = inner[name];
    inner = value !== null && typeof value === "object" ? { ...value } : {};
  }
  return inner;
}
