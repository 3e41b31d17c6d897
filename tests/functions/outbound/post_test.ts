import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  OutboundError,
  postOutbound,
} from "../../../functions/outbound/request.ts";
import { openHttpsServer } from "../../support/https_server.ts";

const never = new AbortController().signal;

Deno.test("postOutbound() delivers its body, and returns the status", async () => {
  const seen: unknown[] = [];
  await using server = await openHttpsServer(async (request) => {
    seen.push(request.headers.get("webhook-id"), await request.text());
    return new Response("not read", { status: 202 });
  });
  const post = postOutbound(server.network);
  const headers = { "webhook-id": "msg_1" };
  strictEqual(await post(server.url, headers, '{"a":"ä"}', never), 202);
  deepStrictEqual(seen, ["msg_1", '{"a":"ä"}']);
});

Deno.test("postOutbound() follows no redirect, and refuses internal hosts", async () => {
  let asked = 0;
  await using server = await openHttpsServer(() => {
    asked++;
    const headers = { location: "/elsewhere" };
    return new Response(null, { status: 307, headers });
  });
  strictEqual(
    await postOutbound(server.network)(server.url, {}, "", never),
    307,
  );
  strictEqual(asked, 1);
  const inside = { ...server.network, allows: () => false };
  const refused = postOutbound(inside)(server.url, {}, "", never);
  await rejects(refused, OutboundError);
  const bare = server.url.replace("https:", "http:");
  await rejects(
    postOutbound(server.network)(bare, {}, "", never),
    OutboundError,
  );
  strictEqual(asked, 1);
});
