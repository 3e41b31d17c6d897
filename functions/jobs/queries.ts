/**
 * Statements, prepared once each.
 *
 * @module
 */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { transact } from "./database.ts";

/** A row of a table, by column. */
export type Row = Record<string, unknown>;

/** What tables are asked through. */
export class Queries {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Asks `database`, which stays open. */
  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @returns How many rows changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /** The first row. */
  get(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  /** All rows. */
  all(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  /** Runs `change` as a whole or not at all. */
  transact<T>(change: () => T): T {
    return transact(this.#database, change);
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
