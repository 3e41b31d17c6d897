import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  S3Requests,
  type S3Settings,
} from "../../../../deploy/cache/stores/s3_request.ts";
import { NEVER } from "../../../support/publish_tree.ts";
import { failed } from "../../../support/s3_server.ts";

const SETTINGS: S3Settings = {
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

/** Requests that are sent while `work` runs, each answered in turn. */
async function sent(
  answers: readonly Response[],
  work: () => Promise<unknown>,
): Promise<Request[]> {
  const { fetch } = globalThis;
  const requests: Request[] = [];
  globalThis.fetch = (input, init) => {
    requests.push(new Request(input, init));
    return Promise.resolve(answers[requests.length - 1]!);
  };
  try {
    await work();
  } finally {
    globalThis.fetch = fetch;
  }
  return requests;
}

const asked = { what: "read it", key: "a/b c+d.txt" };

Deno.test("S3Requests finds Amazon's buckets by region, those with a dot by path", async () => {
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
    const requests = new S3Requests({ ...SETTINGS, ...settings });
    const [request] = await sent(
      [new Response("")],
      () => requests.ask(asked, NEVER),
    );
    strictEqual(request!.url, url);
  }
});

Deno.test("S3Requests follows a bucket to its region once, and stays there", async () => {
  const moved = () =>
    failed(301, "PermanentRedirect", { "x-amz-bucket-region": "eu-west-1" });
  const requests = new S3Requests(SETTINGS);
  const seen = await sent(
    [moved(), new Response(""), new Response("")],
    async () => {
      await requests.ask(asked, NEVER);
      await requests.ask(asked, NEVER);
    },
  );
  deepStrictEqual(
    seen.map(({ url }) => new URL(url).hostname.split(".")[2]),
    ["us-east-1", "eu-west-1", "eu-west-1"],
  );
  const lost = new S3Requests(SETTINGS);
  await sent(
    [moved(), moved()],
    () => rejects(lost.ask(asked, NEVER), /another region, set AWS_REGION/),
  );
});

Deno.test("S3Requests takes no region that is a host of somebody else's", async () => {
  const region = "evil.example/";
  const answer = failed(301, "x", { "x-amz-bucket-region": region });
  const requests = new S3Requests(SETTINGS);
  const seen = await sent(
    [answer],
    () => rejects(requests.ask(asked, NEVER), /set AWS_REGION/),
  );
  strictEqual(seen.length, 1);
});

Deno.test("S3Requests signs nothing where nobody in particular asks", async () => {
  const credentials = () => Promise.resolve(undefined);
  const requests = new S3Requests({ ...SETTINGS, credentials });
  const [request] = await sent(
    [new Response("")],
    () => requests.ask(asked, NEVER),
  );
  strictEqual(request!.headers.get("authorization"), null);
});
