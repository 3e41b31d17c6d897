/**
 * The errors of a request's head: its first line, its host and its origin.
 *
 * @module
 */

import { Emu3Error } from "../../../lib/errors.ts";

/** A request line or headers that the parser refuses. */
export class RequestHeadError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param code A code of `problem_table.ts`.
   * @param message The fault.
   */
  constructor(code: string, message: string) {
    super(code, `Cannot read request: ${message}`);
  }
}

/** The error of a page whose origin is not allowed. */
export class ForbiddenOriginError extends Emu3Error {
  /** Creates the error, which does not quote the origin. */
  constructor() {
    super(
      "forbidden-origin",
      "Origin not allowed: add it to CORS_ORIGINS and restart the server",
    );
  }
}

/** The error of a host that a server without keys does not accept. */
export class ForbiddenHostError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param host Parsed host of the request.
   */
  constructor(host: string) {
    super(
      "forbidden-host",
      `Host ${host} is not allowed: add it to ALLOWED_HOSTS or PUBLIC_URL, or set API_KEYS`,
    );
  }
}

/** A malformed request line or Host header. */
export class MalformedRequestError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param message The fault.
   */
  constructor(message: string) {
    super("malformed-request", `Cannot read request: ${message}`);
  }
}

/** A request target of more bytes than are read. */
export class TargetTooLongError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param maxBytes Maximum bytes of a target.
   */
  constructor(maxBytes: number) {
    super(
      "target-too-long",
      `Cannot read request: the path and the query are longer than ${maxBytes} bytes; send the fields in the body`,
    );
  }
}
