/**
 * Statements, prepared once each, and what goes wrong with them in our words.
 *
 * @module
 */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { Emu3Error } from "../../../lib/errors.ts";
import { transact } from "./database.ts";

/** A row of a table, by column. */
export type Row = Record<string, unknown>;

/** No room for what is to be kept. */
export class StoreFullError extends Emu3Error {
  /** Says what to do. */
  constructor(
    /** True if removing something would help. */
    readonly isFull: boolean = true,
    options?: ErrorOptions,
  ) {
    super(
      "store-full",
      "Cannot keep it: the store is full (STORE_BYTES, or the disk), try again when jobs have ended",
      options,
    );
  }
}

/** The limit of the file is reached, or that of the disk. */
const FULL = /disk is full/;

/** The same, or the disk fails. */
const FAILED = /disk is full|disk I\/O error|readonly database/;

/** What tables are asked through. */
export class Queries {
  readonly #database: DatabaseSync;
  #makingRoom = false;
  readonly #statements = new Map<string, StatementSync>();
  /**
   * Makes room when there is none, and returns whether trying again may help.
   * What was tried is tried as a whole again.
   */
  makeRoom: () => boolean = () => false;
  /** Called when something could not be written. */
  onFailed: () => void = () => {};

  /** Asks `database`, which stays open. */
  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * @returns How many rows changed.
   * @throws {StoreFullError} When there is no room.
   */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return this.#written(() =>
      Number(this.#statement(sql).run(...values).changes)
    );
  }

  /** The first row. */
  get(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#told(() => this.#statement(sql).get(...values));
  }

  /** All rows. */
  all(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#told(() => this.#statement(sql).all(...values));
  }

  /** Rows one after the other, as long as `take` wants more. */
  each(
    sql: string,
    values: readonly SQLInputValue[],
    take: (row: Row) => boolean,
  ): void {
    this.#told(() => {
      for (const row of this.#statement(sql).iterate(...values)) {
        if (!take(row)) break;
      }
    });
  }

  /** The number that a pragma says. */
  pragma(name: string): number {
    return Number(Object.values(this.get(`PRAGMA ${name}`)!)[0]);
  }

  /** Runs `change` as a whole or not at all. */
  transact<T>(change: () => T): T {
    return this.#written(() => transact(this.#database, change));
  }

  /** Writes; nested ones are tried again with the outermost. */
  #written<T>(change: () => T): T {
    if (this.#database.isOpen && this.#database.isTransaction) {
      return this.#told(change);
    }
    for (;;) {
      try {
        return this.#told(change);
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

  /** Errors of the database as those that are answered. */
  #told<T>(ask: () => T): T {
    if (!this.#database.isOpen) {
      throw new DOMException("the store is closed", "AbortError");
    }
    try {
      return ask();
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

/** A column of bytes. */
export function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  throw new TypeError("Cannot read store: expected bytes");
}

/** A column of JSON; undefined for none. */
export function jsonOf(value: unknown): unknown {
  return value === null ? undefined : JSON.parse(String(value));
}
