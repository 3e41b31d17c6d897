/**
 * The AWS credentials, from the standard provider chain.
 *
 * ```text
 * AWS_ACCESS_KEY_ID, …                     keys
 * AWS_WEB_IDENTITY_TOKEN_FILE              a token for a role, of EKS and others
 * AWS_CONTAINER_CREDENTIALS_FULL_URI, …    keys of the task, of ECS and EKS
 * ~/.aws/credentials                       keys of a user, by AWS_PROFILE
 * the instance's metadata (IMDSv2)         keys of the machine
 * ```
 *
 * The first provider with credentials is used, as in Amazon's tools.
 * Credentials are renewed before they expire.
 *
 * @module
 */

import { fromContainer, fromInstance, fromWebIdentity } from "./aws_roles.ts";
import {
  type AwsCredentials,
  fromProfile,
  type Variable,
} from "./aws_profile.ts";

/** Margin before expiry, in milliseconds: sending a part takes time. */
const EARLY_MS = 5 * 60_000;

/**
 * Returns a provider of current credentials; undefined where there are none.
 *
 * @param now A clock, in milliseconds since 1970.
 */
export function awsCredentials(
  variable: Variable,
  now: () => number = Date.now,
): () => Promise<AwsCredentials | undefined> {
  let found: Promise<AwsCredentials | undefined> | undefined;
  let expiresAt = Infinity;
  return () => {
    if (found === undefined || now() > expiresAt - EARLY_MS) {
      const pending = find(variable);
      found = pending;
      expiresAt = Infinity;
      pending.then(
        (credentials) => expiresAt = credentials?.expiresAt ?? Infinity,
        // The next call tries again.
        () => found = undefined,
      );
    }
    return found;
  };
}

async function find(variable: Variable): Promise<AwsCredentials | undefined> {
  const accessKeyId = variable("AWS_ACCESS_KEY_ID");
  const secretAccessKey = variable("AWS_SECRET_ACCESS_KEY");
  if (accessKeyId && secretAccessKey) {
    const sessionToken = variable("AWS_SESSION_TOKEN") || undefined;
    return { accessKeyId, secretAccessKey, sessionToken, expiresAt: undefined };
  }
  return await fromWebIdentity(variable) ?? await fromContainer(variable) ??
    await fromProfile(variable) ?? await fromInstance(variable);
}
