/**
 * The table of problems: statuses, and the text of the pages at `/problems/…`.
 *
 * A new error is a line here, under the code that its class passes on.
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
    "The body is missing, breaks off or is not what its Content-Type says: JSON that is no JSON, a form that is no form, codes whose number does not fit their sizes.",
    "Compare the body with the Content-Type. Codes in application/octet-stream take two bytes each and the headers X-Grid-Height and X-Grid-Width.",
  ),
  "unauthorized": kind(
    401,
    "Key needed",
    "This server asks for an API key (API_KEYS), and none came along or one that it does not know.",
    "Send a known key as Authorization: Bearer <key>.",
  ),
  "forbidden-origin": kind(
    403,
    "Origin not allowed",
    "A page of another origin called, and this server does not let it: otherwise any page could use a server on the machine of who looks at it.",
    "List the origin in CORS_ORIGINS where the server is started.",
  ),
  "malformed-request": kind(
    400,
    "Malformed request",
    "The request line or the Host header is not as HTTP has it: no Host or several, a Host that is none, a target that is no path.",
    "Send one Host header with a host and maybe a port, and a path in ASCII and percent escapes.",
  ),
  "target-too-long": kind(
    414,
    "Request target too long",
    "Path and query have more bytes than are read.",
    "Send fields in the body in place of the query.",
  ),
  "forbidden-host": kind(
    421,
    "Host not allowed",
    "The request names a host that is not known to be this server's, and no keys are set: a page whose name was made to lead here could use it.",
    "List the host in ALLOWED_HOSTS or PUBLIC_URL where the server is started, or set API_KEYS.",
  ),
  "not-found": kind(
    404,
    "Not found",
    "There is no such path, or the function is switched off on this server.",
    "See /docs for the paths there are. A function that is switched off has to be added to FUNCTIONS where the server is started.",
  ),
  "unknown-model": kind(
    404,
    "Unknown model",
    "No model of this name serves the function that was called.",
    "Leave the field model out, take a name from GET /v1/models (the detail lists those that would do), or give one of them the name in MODEL_ALIASES.",
  ),
  "unknown-adapter": kind(
    404,
    "Unknown adapter",
    "No adapter of this name is loaded.",
    "Leave the field adapter out, or take a name from the adapters that GET /v1/models lists.",
  ),
  "unknown-job": kind(
    404,
    "Unknown job",
    "There is no job of this name, it is another caller's, or it ended so long ago that it is no longer kept (JOB_TTL_S).",
    "Take the address from the header Location of the answer that made the job, and ask with the same key.",
  ),
  "job-conflict": kind(
    409,
    "Job cannot do that",
    "The job stands where it cannot go on: only one that was interrupted, or failed for a reason that passes, is resumable.",
    "GET /v1/jobs/{id} says where it stands. Send the request again to start over.",
  ),
  "idempotency-conflict": kind(
    409,
    "Request still at work",
    "The first request with this Idempotency-Key has no answer yet.",
    "Ask again later, with the same key and the same request.",
  ),
  "idempotency-mismatch": kind(
    422,
    "Key of another request",
    "Another request came with this Idempotency-Key.",
    "Use a new key for every new request.",
  ),
  "method-not-allowed": kind(
    405,
    "Method not allowed",
    "The path is there, but not for this method.",
    "Take one of the methods in the header Allow.",
  ),
  "not-acceptable": kind(
    406,
    "Not acceptable",
    "Accept names only media types that this function cannot answer with.",
    "Take one of the types that the detail lists, or leave Accept out.",
  ),
  "body-too-slow": kind(
    408,
    "Body too slow",
    "The body did not arrive in the time that a body has.",
    "Send it again, over a better connection, or make it smaller.",
  ),
  "head-too-slow": kind(
    408,
    "Request too slow",
    "The first line and the headers of a request did not arrive in the time that they have.",
    "Send it again, over a better connection. An idle connection may be closed as well: open a new one.",
  ),
  "precondition-failed": kind(
    412,
    "Precondition failed",
    "If-None-Match named the ETag that the answer would have had, or If-Match another one. Nothing was computed.",
    "The answer that the tag came with is still right. Send the request without the header to get it again.",
  ),
  "body-too-large": kind(
    413,
    "Body too large",
    "The body has more bytes than this server takes (MAX_BODY_BYTES), or more values, nesting or parts than any request needs.",
    "Send a smaller picture, or fewer of them. Bare bytes and forms are a quarter smaller than base64 in JSON. The detail names the limit.",
  ),
  "image-too-large": kind(
    413,
    "Picture too large",
    "A picture, an animation or a grid has more pixels or frames than this server decodes (MAX_PIXELS, MAX_FRAMES), or more than become codes.",
    "Send a smaller picture or fewer frames. The detail has both numbers.",
  ),
  "answer-too-large": kind(
    413,
    "Answer too large",
    "What came of a job has more bytes than the queue it came from takes.",
    "Ask for fewer pictures, for JPEG instead of PNG, or for codes alone; the detail says how.",
  ),
  "unreadable-image": kind(
    415,
    "Unreadable picture",
    "The bytes are no PNG, JPEG, WebP or GIF, or are damaged.",
    "Send one of these types, whole. Other types have to be converted first.",
  ),
  "unsupported-media-type": kind(
    415,
    "Unsupported media type",
    "The body's Content-Type or Content-Encoding is none that this function takes.",
    "Say in Content-Type what the body is, take one of the types that the detail lists, and send it without Content-Encoding.",
  ),
  "image-size": kind(
    422,
    "Picture of unsuitable size",
    "The picture can be read, but its sides are too short, too unequal, or not whole in codes although resize is none.",
    "Send a picture with sides of 8 pixels or more, at most five times as wide as high or the reverse, or leave resize out.",
  ),
  "picture-required": kind(
    422,
    "Picture needed",
    "The conversation shows no picture, and the model that was asked was trained on questions about pictures alone.",
    "Attach a picture to the question, or ask a model whose capabilities in GET /v1/models have text_only.",
  ),
  "invalid-fields": kind(
    422,
    "Invalid fields",
    "A field is missing, unknown, of the wrong type or out of range, or fields contradict each other.",
    "The member errors names each field with a JSON pointer and says what was expected.",
  ),
  "malformed-grid": kind(
    422,
    "Malformed grid",
    "Codes or tokens do not spell a picture: a code is not in the codebook, or a row ends early.",
    "Send codes of the same vision tokenizer, unchanged. The detail says where they go wrong.",
  ),
  "prompt-too-long": kind(
    422,
    "Prompt or picture too long",
    "Prompt and picture, or picture and question, are longer than the model's context.",
    "Shorten the text or ask for a smaller picture. The detail has both numbers.",
  ),
  "cache-too-small": kind(
    422,
    "Memory too small",
    "The request would need more keys and values than this server has memory for (KV_BYTES), even if it ran alone.",
    "Ask for a smaller picture, fewer pictures, or no guidance; or give the server more memory.",
  ),
  "head-too-large": kind(
    431,
    "Headers too large",
    "The path, the query and the headers together are longer than 64 KiB.",
    "Send long fields in a JSON body or a form instead of in the query.",
  ),
  "quota-exceeded": kind(
    429,
    "Quota used up",
    "The caller has sent more requests than its quota allows (RATE_LIMIT).",
    "Try again after as many seconds as Retry-After says.",
  ),
  "unread-answers": kind(
    429,
    "Too many unread answers",
    "The caller leaves more answers unread, or follows more jobs at once, than one caller may.",
    "Read answers to their end or close their connections, then try again after as many seconds as Retry-After says.",
  ),
  // No client reads this one: it is in the log as 499.
  "client-gone": kind(
    400,
    "Client went away",
    "The connection was closed before there was an answer.",
    "Wait longer before closing the connection, or ask for events to see progress.",
  ),
  "internal": kind(
    500,
    "Internal error",
    "Something happened that nobody foresaw. The server's log has it under the request_id.",
    "Report it with the request_id. The same request is likely to fail again.",
  ),
  "bad-checkpoint": kind(
    503,
    "Model failed",
    "A model's files are missing, damaged or of an unknown kind.",
    "Whoever runs the server has to mend the folder that the detail names, and start it again.",
  ),
  "cannot-quantize": kind(
    503,
    "Model failed",
    "A model could not be stored in fewer bits.",
    "Whoever runs the server has to look at PRECISION and at the folder that the detail names.",
  ),
  "not-ready": kind(
    503,
    "Model not ready",
    "The model is still loading, or has failed to load.",
    "Wait for as many seconds as Retry-After says, then try again. Without Retry-After waiting does not help: GET /v1/models says why it failed.",
  ),
  "overloaded": kind(
    503,
    "Overloaded",
    "More requests of this caller wait than the server keeps for one: for the model (QUEUE_LIMIT), for memory for pictures (PIXEL_BYTES) or for bodies (BODY_BYTES).",
    "Try again after as many seconds as Retry-After says.",
  ),
  "draining": kind(
    503,
    "Server stopping",
    "The server was told to stop and takes nothing new; nothing was begun.",
    "Send it again after as many seconds as Retry-After says, on a new connection: another instance, or the next, will answer.",
  ),
  "interrupted": kind(
    503,
    "Interrupted",
    "The server had to stop before the request was done. What was asked and drawn so far is kept: as the job that the member job names, in the server's STORE, and in the member state itself.",
    "On the next server with the same STORE: POST to the URL in the member resume, then look at the job in Location; what was asked for as events comes as JSON. On any other server: send the same body with the seed of state, and of one picture with the prefix in state.images as well, which saves its rows; without the prefix the picture is the same to the bit, with it unless rounding decides a code.",
  ),
  "shutting-down": kind(
    503,
    "Shutting down",
    "The server was told to stop before the request was done.",
    "Try again: another instance, or the next, will answer.",
  ),
  "store-full": kind(
    503,
    "Store full",
    "There is no room for what would have to be kept: jobs that wait or run take all of STORE_BYTES, or the disk is full.",
    "Try again when jobs have ended. Whoever runs the server can raise STORE_BYTES.",
  ),
  "deadline": kind(
    504,
    "Deadline exceeded",
    "The request took longer than this server allows (REQUEST_TIMEOUT_S).",
    "Ask for less: a smaller picture, fewer pictures, fewer tokens; or try again when the server is less busy.",
  ),
} as const satisfies Readonly<Record<string, ProblemKind>>;

/** The code of a kind of problem. */
export type ProblemCode = keyof typeof PROBLEMS;

/** Codes of errors that clients cannot fix: they are reported as `internal`. */
export const UNTOLD: ReadonlySet<string> = new Set(["runtime", "bad-store"]);

/** Reports if `code` is one of the table. */
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
