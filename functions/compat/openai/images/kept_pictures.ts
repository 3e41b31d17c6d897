/**
 * The stored pictures at `/v1/pictures/img-….png`, kept as long as jobs.
 *
 * The URL alone grants access: pages and chats send no key with it, and it is
 * as hard to guess as one. Inside a job nothing is stored, and the URL is a
 * data URL, which needs no server.
 *
 * @module
 */

import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppEnv } from "../../../http/context.ts";
import { keptPictureDescription } from "../../../openapi/description/openai.ts";
import type { PictureFile } from "../../../inference/generation_task.ts";
import type { StoredAnswer } from "../../../jobs/store/answer_store.ts";
import type { Jobs } from "../../../jobs/jobs.ts";
import { publicUrl } from "../../../http/address/public_url.ts";
import { NotFoundError } from "../../../http/errors/errors.ts";
import type { FileType } from "../../../inference/render.ts";

/** The store of pictures. */
export type PictureStore = Pick<
  Jobs,
  "answers" | "retentionNow" | "report" | "sweep"
>;

/** The principal of pictures: no caller has an empty name. */
const NO_PRINCIPAL = "";

const EXTENSIONS: Readonly<Record<FileType, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
};

/** Returns middleware that lets handlers store pictures. */
export function keepingPictures(
  store: PictureStore,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("keepPicture", (file) => keep(store, file));
    await next();
  };
}

/** Returns the route, ready to mount. */
export function keptPictures({ answers }: PictureStore): Hono<AppEnv> {
  return new Hono<AppEnv>().get(
    "/v1/pictures/:name",
    keptPictureDescription,
    (c) => {
      const kept = answers.find(NO_PRINCIPAL, c.req.param("name"))?.answer;
      if (kept === undefined) {
        throw new NotFoundError(
          "Cannot find image: it does not exist, or its retention time is over (JOB_TTL_S)",
        );
      }
      const { status, headers, body } = kept;
      return c.body(body, status as ContentfulStatusCode, headers);
    },
  );
}

/**
 * Returns the URL function for `format`; undefined for pictures in the answer.
 */
export function urlsFor(
  c: Context<AppEnv>,
  format: "b64_json" | "url",
): ((file: PictureFile) => string) | undefined {
  return format === "url" ? (file) => pictureUrl(c, file) : undefined;
}

/**
 * Returns the URL of `file`: one of this server if it is stored, else a data
 * URL.
 */
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
      // Pages of other origins show it.
      "cross-origin-resource-policy": "cross-origin",
    },
    body: bytes,
  };
  let kept = false;
  report(() => {
    const use = { principal: NO_PRINCIPAL, key: name, fingerprint: "" };
    answers.keep(use, answer, retentionNow());
    kept = true;
  });
  if (kept) report(sweep);
  return kept ? name : undefined;
}
