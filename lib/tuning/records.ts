/**
 * The records that tuning reads: pictures as codes, each with its text, or with
 * a question and its answer.
 *
 * Knows nothing of the files they come from.
 *
 * @module
 */

/** A picture of a prepared set. */
export interface PreparedRecord {
  /** Name of the record, unique in its set. */
  readonly key: string;
  /** The caption; empty where the record has none. */
  readonly text: string;
  /** Rows of codes. */
  readonly height: number;
  /** Columns of codes. */
  readonly width: number;
  /** Codes of the vision tokenizer, row after row, `[height · width]`. */
  readonly codes: Uint16Array | Int32Array;
  /** A question about the picture, for tuning on answers. */
  readonly question?: string;
  /** The answer to `question`. */
  readonly answer?: string;
  /**
   * True for what the model drew or answered itself: its own probabilities are
   * learned, so that tuning does not change them.
   */
  readonly replayed?: boolean;
}

/** A set of records in a stable order, read one at a time. */
export interface PreparedSet extends AsyncDisposable {
  /** Number of records. */
  readonly length: number;
  /**
   * Returns a record.
   *
   * @param index from 0 to `length - 1`
   */
  read(index: number): Promise<PreparedRecord>;
}
