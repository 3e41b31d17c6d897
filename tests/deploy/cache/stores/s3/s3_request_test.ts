import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  S3Requests,
  type S3Settings,
} from "../../../../../deploy/cache/stores/s3/s3_request.ts";
import { NEVER } from "../../../../support/publish_tree.ts";
import { failed } from "../../../../support/s3_server.ts";

const SETTINGS: Omit<S3Settings, "fetch"> = {
  bucket: "models",
  endpoint: undefined,
  region: "us-east-1",
  credentials: () =>
    Promise.resolve({
      accessKeyId: "id",
      secretAccessKey: "secret",
      sessionToken: undefined,
      expiresAt: undefined,
    }),
};

/** Returns responses in turn, and records the requests. */
function turns(answers: readonly Response[]) {
  const seen: Request[] = [];
  const fetch: S3Settings["fetch"] = (url, init) => {
    seen.push(new Request(url, init));
    return Promise.resolve(answers[seen.length - 1]!);
  };
  return { seen, fetch };
}

const asked = { what: "read it", key: "a/b c+d.txt" };

Deno.test("S3Requests addresses Amazon's buckets by region, those with a dot by path", async () => {
  const urls: Record<string, Partial<S3Settings>> = {
    "https://models.s3.us-east-1.amazonaws.com/a/b%20c%2Bd.txt": {},
    "https://s3.us-east-1.amazonaws.com/my.models/a/b%20c%2Bd.txt": {
      bucket: "my.models",
    },
    "https://models.s3.cn-north-1.amazonaws.com.cn/a/b%20c%2Bd.txt": {
      region: "cn-north-1",
    },
    "https://x.r2.cloudflarestorage.com/models/a/b%20c%2Bd.txt": {
      endpoint: new URL("https://x.r2.cloudflarestorage.com"),
    },
  };
  for (const [url, settings] of Object.entries(urls)) {
    const { seen, fetch } = turns([new Response("")]);
    const requests = new S3Requests({ ...SETTINGS, ...settings, fetch });
    await requests.send(asked, NEVER);
    strictEqual(seen[0]!.url, url);
  }
});

Deno.test("S3Requests follows a redirect to a bucket's region once, and stays there", async () => {
  const moved = () =>
    failed(301, "PermanentRedirect", { "x-amz-bucket-region": "eu-west-1" });
  const answers = [moved(), new Response(""), new Response("")];
  const { seen, fetch } = turns(answers);
  const requests = new S3Requests({ ...SETTINGS, fetch });
  await requests.send(asked, NEVER);
  await requests.send(asked, NEVER);
  deepStrictEqual(
    seen.map(({ url }) => new URL(url).hostname.split(".")[2]),
    ["us-east-1", "eu-west-1", "eu-west-1"],
  );
  const twice = turns([moved(), moved()]);
  const lost = new S3Requests({ ...SETTINGS, fetch: twice.fetch });
  await rejects(lost.send(asked, NEVER), /another region; set AWS_REGION/);
});

Deno.test("S3Requests rejects a region that names another host", async () => {
  const region = "evil.example/";
  const answer = failed(301, "x", { "x-amz-bucket-region": region });
  const { seen, fetch } = turns([answer]);
  const requests = new S3Requests({ ...SETTINGS, fetch });
  await rejects(requests.send(asked, NEVER), /set AWS_REGION/);
  strictEqual(seen.length, 1);
});

Deno.test("S3Requests signs nothing without credentials", async () => {
  const credentials = () => Promise.resolve(undefined);
  const { seen, fetch } = turns([new Response("")]);
  const requests = new S3Requests({ ...SETTINGS, credentials, fetch });
  await requests.send(asked, NEVER);
  strictEqual(seen[0]!.headers.get("authorization"), null);
});
