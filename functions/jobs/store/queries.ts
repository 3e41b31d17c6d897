/**
 * The queries: prepared statements, and the errors of the database as errors of
 * the store.
 *
 * @module
 */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { Emu3Error } from "../../../lib/errors.ts";
import { transact } from "./database.ts";

/** A row of a table, by column. */
export type Row = Record<string, unknown>;

/** The error of a full store. */
export class StoreFullError extends Emu3Error {
  /** Creates the error with a remedy. */
  constructor(
    /** True if removing jobs would help. */
    readonly isFull: boolean = true,
    options?: ErrorOptions,
  ) {
    super(
      "store-full",
      "Store full: STORE_BYTES or the disk is used up; retry when jobs have ended",
      options,
    );
  }
}

/** Messages of a full file or a full disk. */
const FULL = /disk is full/;

/** Messages of a full or failing disk. */
const FAILED = /disk is full|disk I\/O error|readonly database/;

/** The prepared queries of a database. */
export class Queries {
  readonly #database: DatabaseSync;
  #makingRoom = false;
  readonly #statements = new Map<string, StatementSync>();
  /**
   * Makes room in a full store, and returns true if a retry may help. The
   * outermost transaction is retried as a whole.
   */
  makeRoom: () => boolean = () => false;
  /** Called when a write fails. */
  onFailed: () => void = () => {};

  /** Prepares statements on `database`, which stays open. */
  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * @returns Number of changed rows.
   * @throws {StoreFullError} If the store is full.
   */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return this.#written(() =>
      Number(this.#statement(sql).run(...values).changes)
    );
  }

  /** Returns the first row. */
  get(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#wrapErrors(() => this.#statement(sql).get(...values));
  }

  /** Returns all rows. */
  all(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#wrapErrors(() => this.#statement(sql).all(...values));
  }

  /** Passes rows to `take` one by one, until it returns false. */
  each(
    sql: string,
    values: readonly SQLInputValue[],
    take: (row: Row) => boolean,
  ): void {
    this.#wrapErrors(() => {
      for (const row of this.#statement(sql).iterate(...values)) {
        if (!take(row)) break;
      }
    });
  }

  /** Returns the number of a pragma. */
  pragma(name: string): number {
    return Number(Object.values(this.get(`PRAGMA ${name}`)!)[0]);
  }

  /** Runs `change` as a atomically. */
  transact<T>(change: () => T): T {
    return this.#written(() => transact(this.#database, change));
  }

  /** Runs a write; nested ones are retried with the outermost. */
  #written<T>(change: () => T): T {
    if (this.#database.isOpen && this.#database.isTransaction) {
      return this.#wrapErrors(change);
    }
    for (;;) {
      try {
        return this.#wrapErrors(change);
      } catch (error) {
        if (!(error instanceof StoreFullError)) throw error;
        if (error.isFull && this.#roomMade()) continue;
        this.onFailed();
        throw error;
      }
    }
  }

  #roomMade(): boolean {
    if (this.#makingRoom) return false;
    this.#makingRoom = true;
    try {
      return this.makeRoom();
    } catch (error) {
      if (error instanceof StoreFullError) return false;
      throw error;
    } finally {
      this.#makingRoom = false;
    }
  }

  /** Rethrows errors of the database as errors of the store. */
  #wrapErrors<T>(query: () => T): T {
    if (!this.#database.isOpen) {
      throw new DOMException("the store is closed", "AbortError");
    }
    try {
      return query();
    } catch (cause) {
      if (!(cause instanceof Error && FAILED.test(cause.message))) throw cause;
      throw new StoreFullError(FULL.test(cause.message), { cause });
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** Returns a column of bytes. */
export function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  throw new TypeError("Cannot read store: expected bytes");
}

/** Parses a column of JSON; undefined for none. */
export function jsonOf(value: unknown): unknown {
  return value === null ? undefined : JSON.parse(String(value));
}
