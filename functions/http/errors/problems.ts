/**
 * The table of problems: statuses, and the text of the pages at `/problems/…`.
 *
 * To add a kind of error, add an entry here under the code of its class.
 *
 * @module
 */

import type { ContentfulStatusCode } from "hono/utils/http-status";

/** A kind of problem. */
export interface ProblemKind {
  /** HTTP status. */
  readonly status: ContentfulStatusCode;
  /** The kind in words. */
  readonly title: string;
  /** Explanation of the kind. */
  readonly meaning: string;
  /** Remedy for the client. */
  readonly remedy: string;
}

/** The kinds of problems by code. */
export const PROBLEMS = {
  "malformed-body": kind(
    400,
    "Malformed body",
    "The body is missing, truncated or does not match its Content-Type: invalid JSON, an invalid form, or a number of codes that does not match their shape.",
    "Compare the body with the Content-Type. Codes in application/octet-stream take two bytes each and need the headers X-Grid-Height and X-Grid-Width.",
  ),
  "unauthorized": kind(
    401,
    "API key required",
    "This server requires an API key (API_KEYS), and the request has none or an unknown one.",
    "Send a valid key as Authorization: Bearer <key>.",
  ),
  "forbidden-origin": kind(
    403,
    "Origin not allowed",
    "The request comes from a page of an origin that is not allowed. The check keeps arbitrary websites from using a server on the visitor's machine.",
    "Add the origin to CORS_ORIGINS and restart the server.",
  ),
  "malformed-request": kind(
    400,
    "Malformed request",
    "The request line or the Host header violates HTTP: the Host header is missing, repeated or invalid, or the request target is not a path.",
    "Send one Host header with a host and an optional port, and a path of ASCII characters and percent-encoding.",
  ),
  "target-too-long": kind(
    414,
    "Request target too long",
    "The path and the query together are longer than the server accepts.",
    "Send the fields in the body instead of the query.",
  ),
  "forbidden-host": kind(
    421,
    "Host not allowed",
    "The Host header names an unknown host, and no API keys are set. The check protects against DNS rebinding, where a website points its own name at this server.",
    "Add the host to ALLOWED_HOSTS or PUBLIC_URL, or set API_KEYS, and restart the server.",
  ),
  "not-found": kind(
    404,
    "Not found",
    "No route matches the path, or its function is disabled on this server.",
    "See /docs for all routes. To enable a function, add it to FUNCTIONS and restart the server.",
  ),
  "unknown-model": kind(
    404,
    "Unknown model",
    "No model with this name serves the function.",
    "Omit the field model, use a name from GET /v1/models (the detail lists the models of the function), or add an alias to MODEL_ALIASES.",
  ),
  "unknown-adapter": kind(
    404,
    "Unknown adapter",
    "No adapter with this name is loaded.",
    "Omit the field adapter, or use a name from the adapters in GET /v1/models.",
  ),
  "unknown-job": kind(
    404,
    "Unknown job",
    "The job does not exist, belongs to another caller, or was removed after its retention time (JOB_TTL_S).",
    "Use the URL in the Location header of the response that created the job, and the same API key.",
  ),
  "job-conflict": kind(
    409,
    "Job not resumable",
    "The status of the job does not allow the operation: only interrupted jobs, and jobs that failed for a temporary reason, can be resumed.",
    "Check the status with GET /v1/jobs/{id}. Send the request again to start over.",
  ),
  "unknown-workflow": kind(
    404,
    "Unknown workflow",
    "The workflow does not exist, belongs to another caller, or ended more than a day ago; or it has drawn no codes of this name.",
    "Use the URL in the Location header of the response that started the workflow, and the same API key. The member grid of a step names its codes.",
  ),
  "workflow-canceled": kind(
    409,
    "Workflow canceled",
    "The workflow was canceled while the request waited for its output.",
    "GET the URL in the Location header for the steps that had ended. Start another workflow, with another Idempotency-Key, to begin again.",
  ),
  "workflow-failed": kind(
    502,
    "Workflow failed",
    "A step of the workflow failed for good, without a problem document of its own.",
    "GET the URL in the Location header for the steps that had ended. Start another workflow, with another Idempotency-Key, to begin again.",
  ),
  "idempotency-conflict": kind(
    409,
    "Request in progress",
    "The first request with this Idempotency-Key is still in progress.",
    "Retry later with the same key and the same request.",
  ),
  "idempotency-mismatch": kind(
    422,
    "Idempotency key reused",
    "This Idempotency-Key was used with a different request.",
    "Use a new key for every new request.",
  ),
  "method-not-allowed": kind(
    405,
    "Method not allowed",
    "The path exists, but does not support this method.",
    "Use one of the methods in the Allow header.",
  ),
  "not-acceptable": kind(
    406,
    "Not acceptable",
    "The Accept header allows none of the media types that this function produces.",
    "Use one of the media types in the detail, or omit the Accept header.",
  ),
  "body-too-slow": kind(
    408,
    "Body too slow",
    "The body did not arrive in time.",
    "Send it again over a faster connection, or make it smaller.",
  ),
  "head-too-slow": kind(
    408,
    "Request too slow",
    "The request line and the headers did not arrive in time.",
    "Send the request again over a faster connection. Idle connections may also be closed: open a new one.",
  ),
  "body-too-large": kind(
    413,
    "Body too large",
    "The body has more bytes than the server accepts (MAX_BODY_BYTES), or more JSON values, nesting levels or form parts.",
    "Send a smaller image, or fewer images. Raw bytes and forms are a quarter smaller than base64 in JSON. The detail names the limit.",
  ),
  "image-too-large": kind(
    413,
    "Image too large",
    "An image, an animation or a grid has more pixels or frames than the server decodes (MAX_PIXELS, MAX_FRAMES) or encodes as codes.",
    "Send a smaller image or fewer frames. The detail has both numbers.",
  ),
  "answer-too-large": kind(
    413,
    "Result too large",
    "The result of a job has more bytes than the queue of the job accepts.",
    "Request fewer images, JPEG instead of PNG, or codes only, as described in the detail.",
  ),
  "unreadable-image": kind(
    415,
    "Unreadable image",
    "The bytes are not a PNG, JPEG, WebP or GIF file, or the file is damaged.",
    "Send a complete file of one of these formats. Convert other formats first.",
  ),
  "unsupported-media-type": kind(
    415,
    "Unsupported media type",
    "The function does not accept the Content-Type or the Content-Encoding of the body.",
    "Set Content-Type to one of the media types in the detail, and omit Content-Encoding.",
  ),
  "image-size": kind(
    422,
    "Unsuitable image size",
    "The image is readable, but its sides are too short, its aspect ratio is too extreme, or resize is none and its sides are not multiples of a code's size.",
    "Send an image with sides of at least 8 pixels and an aspect ratio of at most 5:1, or omit resize.",
  ),
  "picture-required": kind(
    422,
    "Image required",
    "The conversation contains no image, and the model was trained on questions about images only.",
    "Attach an image to the question, or use a model with the capability text_only in GET /v1/models.",
  ),
  "invalid-fields": kind(
    422,
    "Invalid fields",
    "A field is missing, unknown, of the wrong type or out of range, or fields contradict each other.",
    "The member errors lists each field as a JSON pointer, with the expected value.",
  ),
  "malformed-grid": kind(
    422,
    "Malformed grid",
    "The codes or tokens are not a valid image: a code is not in the codebook, or a row ends early.",
    "Send codes of the same vision tokenizer, unchanged. The detail has the position of the first error.",
  ),
  "prompt-too-long": kind(
    422,
    "Prompt or image too long",
    "The prompt and the image, or the image and the question, do not fit into the context of the model.",
    "Shorten the text or request a smaller image. The detail has both numbers.",
  ),
  "cache-too-small": kind(
    422,
    "KV cache too small",
    "The request needs a larger KV cache than the server has (KV_BYTES), even without other requests.",
    "Request a smaller image, fewer images or no guidance, or increase KV_BYTES.",
  ),
  "head-too-large": kind(
    431,
    "Headers too large",
    "The path, the query and the headers together are longer than 64 KiB.",
    "Send long fields in a JSON body or a form instead of the query.",
  ),
  "quota-exceeded": kind(
    429,
    "Rate limit exceeded",
    "The caller has sent more requests than its rate limit allows (RATE_LIMIT).",
    "Retry after the number of seconds in the Retry-After header.",
  ),
  "unread-answers": kind(
    429,
    "Too many unread responses",
    "The caller has too many unread responses, or follows too many jobs at once.",
    "Read responses to their end or close their connections, then retry after the number of seconds in the Retry-After header.",
  ),
  // Never sent: the log records it as 499.
  "client-gone": kind(
    400,
    "Client disconnected",
    "The connection was closed before the response was sent.",
    "Increase the timeout of the client, or request events to see progress.",
  ),
  "internal": kind(
    500,
    "Internal error",
    "An unexpected error occurred. The server's log has the details under the request_id.",
    "Report the error with its request_id. The same request is likely to fail again.",
  ),
  "bad-checkpoint": kind(
    503,
    "Model failed",
    "The files of a model are missing, damaged or of an unsupported kind.",
    "The operator has to repair the folder in the detail and restart the server.",
  ),
  "cannot-quantize": kind(
    503,
    "Model failed",
    "A model could not be quantized.",
    "The operator has to check PRECISION and the folder in the detail.",
  ),
  "not-ready": kind(
    503,
    "Model not ready",
    "The model is still loading, or failed to load.",
    "Retry after the number of seconds in the Retry-After header. Without that header a retry does not help: GET /v1/models has the reason of the failure.",
  ),
  "overloaded": kind(
    503,
    "Overloaded",
    "The caller has too many waiting requests: for the model (QUEUE_LIMIT), for image memory (PIXEL_BYTES) or for request bodies (BODY_BYTES).",
    "Retry after the number of seconds in the Retry-After header.",
  ),
  "draining": kind(
    503,
    "Server draining",
    "The server is shutting down and refuses new requests. Nothing was started.",
    "Retry after the number of seconds in the Retry-After header, on a new connection, which reaches another or the next instance.",
  ),
  "interrupted": kind(
    503,
    "Interrupted",
    "The server shut down before the request was finished. Its state is kept in two places: as the job in the member job, in the server's STORE, and in the member state.",
    "On the next server with the same STORE: POST to the URL in the member resume, then follow the job in the Location header; requests for events return JSON. On any other server: send the same body with the seed in state, which gives the same image bit for bit. For a single image, also send the prefix in state.images to keep its rows; the rest may then differ where rounding decides a code.",
  ),
  "shutting-down": kind(
    503,
    "Shutting down",
    "The server shut down before the request was finished.",
    "Retry, to reach another or the next instance.",
  ),
  "workflows-unavailable": kind(
    503,
    "Workflows unavailable",
    "The workflow engine behind WORKFLOWS_URL is not reached, or does not answer as expected. Workflows that were accepted continue once it runs again.",
    "Retry with the same Idempotency-Key after the number of seconds in the Retry-After header. The operator has to check Restate, the registration of its service, and WORKFLOWS_TOKEN.",
  ),
  "store-full": kind(
    503,
    "Store full",
    "The store has no space: jobs that wait or run take all of STORE_BYTES, or the disk is full.",
    "Retry when jobs have ended. The operator can increase STORE_BYTES.",
  ),
  "deadline": kind(
    504,
    "Deadline exceeded",
    "The request took longer than the server allows (REQUEST_TIMEOUT_S).",
    "Request a smaller image, fewer images or fewer tokens, or retry when the server is less busy.",
  ),
} as const satisfies Readonly<Record<string, ProblemKind>>;

/** The code of a kind of problem. */
export type ProblemCode = keyof typeof PROBLEMS;

/** Codes of errors that clients cannot fix: they are reported as `internal`. */
export const INTERNAL_CODES: ReadonlySet<string> = new Set([
  "runtime",
  "bad-store",
  "cannot-tune",
]);

/** Returns true if `code` is one of the table. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** Returns the path of a problem's page, from the root of the server. */
export function problemPath(code: ProblemCode): string {
  return `/problems/${code}`;
}

function kind(
  status: ContentfulStatusCode,
  title: string,
  meaning: string,
  remedy: string,
): ProblemKind {
  return { status, title, meaning, remedy };
}
