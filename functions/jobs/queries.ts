/**
 * Statements, prepared once each, and what goes wrong with them in our words.
 *
 * @module
 */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { Emu3Error } from "../../lib/errors.ts";
import { transact } from "./database.ts";

/** A row of a table, by column. */
export type Row = Record<string, unknown>;

/** No room for what is to be kept. */
export class StoreFullError extends Emu3Error {
  /** Says what to do. */
  constructor(options?: ErrorOptions) {
    super(
      "store-full",
      "Cannot keep it: the store is full (STORE_BYTES, or the disk), try again when jobs have ended",
      options,
    );
  }
}

/** What tables are asked through. */
export class Queries {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Asks `database`, which stays open. */
  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * @returns How many rows changed.
   * @throws {StoreFullError} When there is no room.
   */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return this.#told(() =>
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
    return this.#told(() => transact(this.#database, change));
  }

  /** Errors of the database as those that are answered. */
  #told<T>(ask: () => T): T {
    if (!this.#database.isOpen) {
      throw new DOMException("the store is closed", "AbortError");
    }
    try {
      return ask();
    } catch (cause) {
      if (!(cause instanceof Error && /disk is full/.test(cause.message))) {
        throw cause;
      }
      throw new StoreFullError({ cause });
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
