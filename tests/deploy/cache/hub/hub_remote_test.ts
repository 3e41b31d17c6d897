import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { fetchPart } from "../../../../deploy/cache/transfer/fetch_part.ts";
import { HubRemote } from "../../../../deploy/cache/hub/hub_remote.ts";
import {
  type Remote,
  RemoteError,
} from "../../../../deploy/cache/net/remote.ts";
import { remoteFor } from "../../../../deploy/cache/net/remote_for.ts";
import type { HubSource } from "../../../../deploy/cache/source.ts";
import { fakeRemote, listed } from "../../../support/fake_remote.ts";
import { fastRetries } from "../../../support/obtain_options.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

const source: HubSource = {
  type: "hub",
  text: "org/name",
  owner: "org",
  name: "name",
  revision: "refs/pr/1",
};
const content = Uint8Array.from({ length: 50 }, (_, i) => i);
const file = listed("a/model 1.safetensors", content);
const { signal } = new AbortController();

/**
 * Returns a remote whose hub responds with `answer`, and the requests received.
 */
function remote(
  answer: (url: URL) => Response,
): { remote: HubRemote; asked: [string, string | null][] } {
  const asked: [string, string | null][] = [];
  return {
    asked,
    remote: new HubRemote(source, {
      endpoint: "https://hub.test/mirror/",
      token: "hf_secret",
      fetch: (url, init) => {
        const { headers } = new Request(url, init);
        asked.push([url.href, headers.get("Authorization")]);
        return Promise.resolve(answer(url));
      },
    }),
  };
}

const redirect = (location: string) =>
  new Response(null, { status: 302, headers: { Location: location } });

const bytes = () =>
  new Response(content.slice(5, 9), {
    status: 206,
    headers: { "Content-Range": "bytes 5-8/50" },
  });

Deno.test("HubRemote encodes a path and a revision as one part of the URL each, and keeps found URLs", async () => {
  const { remote: hub, asked } = remote((url) =>
    url.host === "cdn.test"
      ? bytes()
      : url.pathname.startsWith("/old")
      ? redirect("https://cdn.test/x?signed")
      : redirect("/old/place")
  );
  for (let i = 0; i < 2; i++) {
    const stream = await hub.read(file, { start: 5, end: 9 }, signal);
    deepStrictEqual(
      new Uint8Array(await new Response(stream).arrayBuffer()),
      content.slice(5, 9),
    );
  }
  const own = "Bearer hf_secret";
  deepStrictEqual(asked, [
    [
      "https://hub.test/mirror/org/name/resolve/refs%2Fpr%2F1/a/model%201.safetensors",
      own,
    ],
    ["https://hub.test/old/place", own],
    ["https://cdn.test/x?signed", null],
    ["https://cdn.test/x?signed", null],
  ]);
});

Deno.test("HubRemote requests an expired signature again", async () => {
  let signature = 1;
  const { remote: hub, asked } = remote((url) => {
    if (url.host === "hub.test") {
      return redirect(`https://cdn.test/${signature}`);
    }
    return url.pathname === `/${signature}`
      ? bytes()
      : new Response("no", { status: 403 });
  });
  for (signature = 1; signature < 3; signature++) {
    const stream = await hub.read(file, { start: 5, end: 9 }, signal);
    await stream.cancel();
  }
  strictEqual(asked.length, 5);
});

Deno.test("HubRemote rejects redirect loops, and redirects away from https", async () => {
  const read = ({ remote: hub }: ReturnType<typeof remote>) =>
    hub.read(file, { start: 5, end: 9 }, signal);
  await rejects(read(remote(() => redirect("/again"))), /in a loop/);
  await rejects(
    read(remote(() => redirect("http://cdn.test/"))),
    /to a URL that is not https/,
  );
  await rejects(read(remote(() => redirect("https://"))), /not https/);
});

Deno.test("HubRemote detects changed content by its ETag", async () => {
  const { remote: hub } = remote(() => {
    const answer = bytes();
    answer.headers.set("ETag", '"other"');
    return answer;
  });
  await rejects(hub.read(file, { start: 5, end: 9 }, signal), (error) => {
    ok(error instanceof RemoteError);
    strictEqual(error.remedy.type, "changed");
    return true;
  });
});

Deno.test("HubRemote reports an unreachable URL without its signature", async () => {
  const hub = new HubRemote(source, {
    endpoint: "https://hub.test",
    token: undefined,
    fetch: () =>
      Promise.reject(
        new TypeError("error sending request for url (https://x/?sig=1): no"),
      ),
  });
  await rejects(hub.list(signal), (error) => {
    ok(error instanceof RemoteError);
    match(error.message, /^Cannot reach hub\.test for org\/name@refs\/pr\/1/);
    ok(!error.message.includes("sig=1"));
    return true;
  });
});

Deno.test("HubRemote rejects an endpoint that is not a URL; offline sends no request", async () => {
  for (const endpoint of ["huggingface.co", "ftp://me:secret@host"]) {
    throws(
      () => new HubRemote(source, { endpoint, token: undefined, fetch }),
      (error) =>
        error instanceof RemoteError && /HF_ENDPOINT is/.test(error.message) &&
        !error.message.includes("secret"),
    );
    await rejects(
      remoteFor(source, new Map([["HF_ENDPOINT", endpoint]]), undefined),
      RemoteError,
    );
  }
  await rejects(
    remoteFor(source, new Map([["HF_HUB_OFFLINE", "true"]]), undefined),
    /HF_HUB_OFFLINE is set/,
  );
});

Deno.test("HubRemote rejects more bytes than requested", async () => {
  using folder = temporaryFolder();
  const path = folder.write("part", new Uint8Array(50));
  const honest = fakeRemote(new Map([[file.path, content]]));
  const generous: Remote = {
    ...honest,
    read: (file, { start }) =>
      honest.read(file, { start, end: file.size }, signal),
  };
  const fetching = (remote: Remote) =>
    fetchPart(
      remote,
      { file, range: { start: 5, end: 9 }, path, hash: "crc32" },
      fastRetries.retryPolicy,
      { signal, onBytes: () => {} },
    );
  await rejects(fetching(generous), /more bytes arrived than were requested/);
  await fetching(honest);
  deepStrictEqual(
    (await Deno.readFile(path)).slice(4, 10),
    Uint8Array.of(0, 5, 6, 7, 8, 0),
  );
});
