/**
 * What can go wrong that a caller is expected to handle.
 *
 * Everything else is a bug and rises as it is. A message reads
 * `Cannot <verb> <object>: <what is the case, what would do>` and never holds a
 * user's prompt or pixels. `functions/http/errors/problem.ts` maps the codes to HTTP.
 *
 * @module
 */

/** The root of every error that a caller may handle. */
export class Emu3Error extends Error {
  /** An error with a code for programs and a message for people. */
  constructor(
    /** Kebab-case and stable: clients may switch on it. */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A checkpoint that cannot be opened: names the file and, if any, the key. */
export class CheckpointError extends Emu3Error {
  /** Says what is wrong with `file`. */
  constructor(
    /** The file or folder at fault. */
    readonly file: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super("bad-checkpoint", `Cannot open ${file}: ${message}`, options);
  }
}

/** A checkpoint that cannot be stored in fewer bits. */
export class QuantizationError extends Emu3Error {
  /** Says what is wrong with `subject`. */
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

/** A folder that another process is filling. */
export class QuantizationBusyError extends QuantizationError {
  /** Says that it is busy. */
  constructor(subject: string) {
    super(subject, "another process is writing it");
  }
}

/** Bytes that are not a picture we read. */
export class ImageError extends Emu3Error {
  /** Says what is wrong. */
  constructor(message: string, options?: ErrorOptions) {
    super("unreadable-image", `Cannot read picture: ${message}`, options);
  }
}

/** A picture with more pixels than are allowed, found out from its header. */
export class ImageTooLargeError extends Emu3Error {
  /** Says what is wrong. */
  constructor(message: string) {
    super("image-too-large", `Cannot read picture: ${message}`);
  }
}

/** A readable picture whose sides the model does not take. */
export class ImageSizeError extends Emu3Error {
  /** Says what is wrong. */
  constructor(message: string) {
    super("image-size", `Cannot use picture: ${message}`);
  }
}

/** Codes or tokens that do not spell a grid. */
export class GridError extends Emu3Error {
  /** Says what is wrong. */
  constructor(message: string) {
    super("malformed-grid", `Cannot read grid: ${message}`);
  }
}

/** A prompt that does not fit into the context. */
export class PromptTooLongError extends Emu3Error {
  /** Says how much is asked and how much there is, in tokens. */
  constructor(
    /** Tokens that prompt and answer need. */
    readonly needed: number,
    /** Tokens that the context holds. */
    readonly available: number,
    /** Tokens of the pictures alone; 0 where they are not known. */
    pictures = 0,
  ) {
    super(
      "prompt-too-long",
      pictures < available
        ? `Cannot fit prompt: it needs ${needed} tokens with its answer, the context holds ${available}, a smaller picture or a shorter text would do`
        : `Cannot fit pictures: they alone are ${pictures} tokens, the context holds ${available}, smaller or fewer pictures would do`,
    );
  }
}

/** A request whose keys and values can never be held. */
export class CacheTooSmallError extends Emu3Error {
  /** Says how much is asked and how much there is, in tokens. */
  constructor(
    /** Tokens that all rows need, with what is to come. */
    readonly needed: number,
    /** Tokens that the memory for keys and values holds. */
    readonly available: number,
  ) {
    super(
      "cache-too-small",
      `Cannot hold request: it needs keys and values of ${needed} tokens, the memory for them holds ${available}, a smaller picture, a shorter text or a larger KV_BYTES would do`,
    );
  }
}

/** The queue is full, or the machine too busy. */
export class OverloadedError extends Emu3Error {
  /**
   * Says when to come back.
   *
   * @param reason What is the case.
   */
  constructor(
    /** When trying again is likely to succeed. */
    readonly retryAfterSeconds: number,
    reason = "the queue is full",
  ) {
    super(
      "overloaded",
      `Cannot take request: ${reason}, try again in ${retryAfterSeconds} s`,
    );
  }
}

/** ONNX Runtime refused or failed. */
export class RuntimeError extends Emu3Error {
  /** Says what is wrong. */
  constructor(message: string, options?: ErrorOptions) {
    super("runtime", message, options);
  }
}
