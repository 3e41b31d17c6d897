/**
 * The records of an input, in any format: pictures, read on demand, with their
 * texts.
 *
 * @module
 */

/** A record of an input. */
export interface SourceRecord {
  /** Name as the input gives it, or made from the picture's place. */
  readonly name: string;
  /** Place of the record, for messages, such as `data.json, record 3`. */
  readonly place: string;
  /** Caption; undefined if the record has none. */
  readonly text: string | undefined;
  /** Question about the picture. */
  readonly question: string | undefined;
  /** Answer to the question. */
  readonly answer: string | undefined;
  /**
   * Returns the bytes of the picture.
   *
   * @throws {RecordError} If the record is unusable, with the reason.
   */
  readonly picture: () => Promise<Uint8Array<ArrayBuffer>>;
}

/** An opened input. */
export interface RecordSource {
  /** Name of its format. */
  readonly format: string;
  /** Returns the records in order, each time from the first. */
  readonly records: () => AsyncIterable<SourceRecord>;
  /** Returns the fraction of the input that was returned, 0 to 1. */
  readonly share: () => number;
}

/** The names of columns; undefined for those that are usual. */
export interface ColumnNames {
  /** Column of the picture: a path, a data URL or bytes. */
  readonly image?: string | undefined;
  /** Column of the caption. */
  readonly text?: string | undefined;
  /** Column of the record's name. */
  readonly name?: string | undefined;
  /** Column of the question. */
  readonly question?: string | undefined;
  /** Column of the answer. */
  readonly answer?: string | undefined;
}

/** An error that concerns one record only. */
export class RecordError extends Error {
  /** Creates an error from the reason. */
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = "RecordError";
  }
}
