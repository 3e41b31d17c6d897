/**
 * The errors of a request's head: its first line, its host and its origin.
 *
 * @module
 */

import { Emu3Error } from "../../../lib/errors.ts";

/** A first line and headers that the parser refuses. */
export class RequestHeadError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param code A code of `problem_table.ts`.
   * @param message The fault.
   */
  constructor(code: string, message: string) {
    super(code, `Cannot read request: ${message}`);
  }
}

/** A page of an origin that may not call. */
export class ForbiddenOriginError extends Emu3Error {
  /** Says what to do; the origin itself is the caller's. */
  constructor() {
    super(
      "forbidden-origin",
      "Cannot answer: pages of this origin may not call, list it in CORS_ORIGINS",
    );
  }
}

/** A host under which a server without keys may not be called. */
export class ForbiddenHostError extends Emu3Error {
  /**
   * Says what to do.
   *
   * @param host As the request names it, parsed.
   */
  constructor(host: string) {
    super(
      "forbidden-host",
      `Cannot answer for host ${host}: set ALLOWED_HOSTS or PUBLIC_URL to let it in, or API_KEYS`,
    );
  }
}

/** A request line or Host header that is not as HTTP has it. */
export class MalformedRequestError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param message What has to be.
   */
  constructor(message: string) {
    super("malformed-request", `Cannot read request: ${message}`);
  }
}

/** A request target of more bytes than are read. */
export class TargetTooLongError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param maxBytes How many are read.
   */
  constructor(maxBytes: number) {
    super(
      "target-too-long",
      `Cannot read request: path and query have more than ${maxBytes} bytes, send fields in the body`,
    );
  }
}
