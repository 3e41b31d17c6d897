/**
 * The errors that a caller is expected to handle.
 *
 * All other errors are bugs and propagate unchanged. A message reads `Cannot
 * <verb> <object>: <reason or remedy>` and never contains a user's prompt or
 * pixels. `functions/http/errors/problem.ts` maps the codes to HTTP.
 *
 * @module
 */

/** The root of every error that a caller may handle. */
export class Emu3Error extends Error {
  /** Creates an error with a code for programs and a message for people. */
  constructor(
    /** The code, kebab-case and stable: clients may switch on it. */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * An error for a checkpoint that cannot be opened; the message names the file
 * and, if any, the key.
 */
export class CheckpointError extends Emu3Error {
  /** Creates an error about `file`. */
  constructor(
    /** The file or folder at fault. */
    readonly file: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super("bad-checkpoint", `Cannot open ${file}: ${message}`, options);
  }
}

/** An error for a checkpoint that cannot be quantized. */
export class QuantizationError extends Emu3Error {
  /** Creates an error about `subject`. */
  constructor(
    /** The file, folder or tensor at fault. */
    readonly subject: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(
      "cannot-quantize",
      `Cannot quantize ${subject}: ${message}`,
      options,
    );
  }
}

/** An error for a folder that another process is writing to. */
export class QuantizationBusyError extends QuantizationError {
  /** Creates an error about `subject`. */
  constructor(subject: string) {
    super(subject, "another process is writing to it; wait for it to finish");
  }
}

/** An error for bytes that are not a supported picture. */
export class ImageError extends Emu3Error {
  /** Creates an error from its message. */
  constructor(message: string, options?: ErrorOptions) {
    super("unreadable-image", `Cannot read image: ${message}`, options);
  }
}

/**
 * An error for a picture whose header declares more pixels than are allowed.
 */
export class ImageTooLargeError extends Emu3Error {
  /** Creates an error from its message. */
  constructor(message: string) {
    super("image-too-large", `Cannot read image: ${message}`);
  }
}

/** An error for a readable picture whose sides the model does not support. */
export class ImageSizeError extends Emu3Error {
  /** Creates an error from its message. */
  constructor(message: string) {
    super("image-size", `Cannot use image: ${message}`);
  }
}

/** An error for codes or tokens that do not form a grid. */
export class GridError extends Emu3Error {
  /** Creates an error from its message. */
  constructor(message: string) {
    super("malformed-grid", `Cannot read grid: ${message}`);
  }
}

/** An error for a prompt that does not fit into the context. */
export class PromptTooLongError extends Emu3Error {
  /** Creates an error from the needed and the available number of tokens. */
  constructor(
    /** Number of tokens that prompt and answer need. */
    readonly needed: number,
    /** Number of tokens that the context holds. */
    readonly available: number,
    /** Number of tokens of the pictures alone; 0 if unknown. */
    pictures = 0,
  ) {
    super(
      "prompt-too-long",
      pictures < available
        ? `Prompt too long: the prompt and the output take ${needed} tokens, the context holds ${available}; use a smaller image or a shorter text`
        : `Images too large: they take ${pictures} tokens, the context holds ${available}; use smaller or fewer images`,
    );
  }
}

/** An error for a request that can never fit into the KV cache. */
export class CacheTooSmallError extends Emu3Error {
  /** Creates an error from the needed and the available number of tokens. */
  constructor(
    /** Number of tokens that all rows need, new ones included. */
    readonly needed: number,
    /** Number of tokens that the KV cache holds. */
    readonly available: number,
  ) {
    super(
      "cache-too-small",
      `KV cache too small: the request takes ${needed} tokens, the cache holds ${available}; use a smaller image or a shorter text, or increase KV_BYTES`,
    );
  }
}

/** An error for a full queue or a busy machine. */
export class OverloadedError extends Emu3Error {
  /**
   * Creates an error with the Retry-After seconds.
   *
   * @param reason Reason of the refusal.
   */
  constructor(
    /** Seconds after which a retry is likely to succeed. */
    readonly retryAfterSeconds: number,
    reason = "the queue is full",
  ) {
    super(
      "overloaded",
      `Overloaded: ${reason}; retry in ${retryAfterSeconds} s`,
    );
  }
}

/** An error for a call of ONNX Runtime that failed. */
export class RuntimeError extends Emu3Error {
  /** Creates an error from its message. */
  constructor(message: string, options?: ErrorOptions) {
    super("runtime", message, options);
  }
}
