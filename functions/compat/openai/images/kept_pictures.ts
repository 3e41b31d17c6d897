/**
 * `/v1/pictures/img-….png`: pictures by URL, kept as long as jobs are.
 *
 * Whoever has the URL may read: it goes into pages and chats, where no key goes
 * along, and is as hard to guess as one. Inside a job nothing is kept, and the
 * URL is a data URL, which needs no server.
 *
 * @module
 */

import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppEnv } from "../../../http/context.ts";
import { keptPictureDescription } from "../../../openapi/description/openai.ts";
import type { PictureFile } from "../../../inference/generation_events.ts";
import type { StoredAnswer } from "../../../jobs/store/answer_store.ts";
import type { Jobs } from "../../../jobs/jobs.ts";
import { publicUrl } from "../../../http/address/public_url.ts";
import { NotFoundError } from "../../../http/errors/errors.ts";
import type { FileType } from "../../../inference/render.ts";

/** Where pictures are kept. */
export type PictureStore = Pick<
  Jobs,
  "answers" | "retentionNow" | "report" | "sweep"
>;

/** The principal of pictures: no caller has an empty name. */
const NOBODY = "";

const EXTENSIONS: Readonly<Record<FileType, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
};

/** Lets handlers keep pictures. */
export function keepingPictures(
  store: PictureStore,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("keepPicture", (file) => keep(store, file));
    await next();
  };
}

/** The route, ready to mount. */
export function keptPictures({ answers }: PictureStore): Hono<AppEnv> {
  return new Hono<AppEnv>().get(
    "/v1/pictures/:name",
    keptPictureDescription,
    (c) => {
      const kept = answers.find(NOBODY, c.req.param("name"))?.answer;
      if (kept === undefined) {
        throw new NotFoundError(
          "Cannot find picture: there is none of this name, or no more (JOB_TTL_S)",
        );
      }
      const { status, headers, body } = kept;
      return c.body(body, status as ContentfulStatusCode, headers);
    },
  );
}

/** Returns the maker of URLs that `format` asks for; undefined for pictures in the answer. */
export function urlsFor(
  c: Context<AppEnv>,
  format: "b64_json" | "url",
): ((file: PictureFile) => string) | undefined {
  return format === "url" ? (file) => pictureUrl(c, file) : undefined;
}

/** Returns a URL of `file`: of this server where it is kept. */
function pictureUrl(c: Context<AppEnv>, file: PictureFile): string {
  const name = c.get("keepPicture")?.(file);
  return name === undefined
    ? `data:${file.type};base64,${file.bytes.toBase64()}`
    : publicUrl(c, `/v1/pictures/${name}`);
}

/** Returns the name of the file; undefined if there is no room for it. */
function keep(
  { answers, retentionNow, report, sweep }: PictureStore,
  { type, bytes }: PictureFile,
): string | undefined {
  const name = `img-${crypto.randomUUID()}.${EXTENSIONS[type]}`;
  const answer: StoredAnswer = {
    status: 200,
    headers: {
      "content-type": type,
      "cache-control": "private, max-age=3600, immutable",
      // Pages of others show it.
      "cross-origin-resource-policy": "cross-origin",
    },
    body: bytes,
  };
  let kept = false;
  report(() => {
    const use = { principal: NOBODY, key: name, fingerprint: "" };
    answers.keep(use, answer, retentionNow());
    kept = true;
  });
  if (kept) report(sweep);
  return kept ? name : undefined;
}
