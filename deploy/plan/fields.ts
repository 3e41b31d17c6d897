/**
 * The fields of a handwritten JSON file: each is read by name, and a field that
 * is left in the end is a mistake.
 *
 * @module
 */

/** The error thrown for an invalid configuration. */
export class PlanError extends Error {
  /** Creates an error with the fault. */
  constructor(
    /** Location of the fault, as a JSON pointer. */
    readonly pointer: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot plan: ${pointer || "the file"}: ${reason}`, options);
    this.name = "PlanError";
  }
}

/** Bounds of a number. */
export interface Bounds {
  /** Lower bound. */
  readonly least?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
  /** Upper bound. */
  readonly most?: number;
}

/** An object whose fields are read one by one. */
export class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #read = new Set<string>();
  /** Location of the object, as a JSON pointer. */
  readonly pointer: string;

  /**
   * Creates a reader of fields.
   *
   * @throws {PlanError} When `value` is not an object.
   */
  constructor(value: unknown, pointer = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new PlanError(pointer, "expected an object");
    }
    this.#value = { ...value };
    this.pointer = pointer;
  }

  /** Names of all fields. */
  get names(): string[] {
    return Object.keys(this.#value);
  }

  /** Returns true if the field exists. */
  has(name: string): boolean {
    return this.#value[name] !== undefined;
  }

  /** Reads a field that is an object. */
  object(name: string): Fields {
    return new Fields(this.#take(name), this.#at(name));
  }

  /** Reads a field that is a list; returns its items with their locations. */
  list(name: string): { readonly item: unknown; readonly pointer: string }[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length === 0) {
      throw new PlanError(this.#at(name), "expected a list of one or more");
    }
    return value.map((item, i) => ({
      item,
      pointer: `${this.#at(name)}/${i}`,
    }));
  }

  /** Reads a field that is a number. */
  number(name: string, { least, above, most }: Bounds = {}): number {
    const value = this.#take(name);
    const fits = typeof value === "number" && Number.isFinite(value) &&
      value >= (least ?? -Infinity) && value > (above ?? -Infinity) &&
      value <= (most ?? Infinity);
    if (fits) return value;
    const bounds = [
      ...least === undefined ? [] : [`${least} or more`],
      ...above === undefined ? [] : [`more than ${above}`],
      ...most === undefined ? [] : [`${most} or less`],
    ];
    const expected = ["a number", ...bounds].join(", ");
    throw new PlanError(this.#at(name), `expected ${expected}`);
  }

  /** Reads a field that is a whole number. */
  whole(name: string, bounds: Bounds): number {
    const value = this.number(name, bounds);
    if (Number.isSafeInteger(value)) return value;
    throw new PlanError(this.#at(name), "expected a whole number");
  }

  /** Reads a field that is true or false. */
  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value === "boolean") return value;
    throw new PlanError(this.#at(name), "expected true or false");
  }

  /** Reads a field that is text. */
  text(name: string): string {
    const value = this.#take(name);
    if (typeof value === "string" && value !== "") return value;
    throw new PlanError(this.#at(name), "expected text");
  }

  /**
   * Returns the result of `read` on a field; `otherwise` if the field is
   * absent.
   */
  optional<T>(name: string, read: () => T, otherwise: T): T {
    return this.has(name) ? read() : otherwise;
  }

  /**
   * Checks that all fields have been read.
   *
   * @throws {PlanError} Naming a field that was not read.
   */
  end(): void {
    const other = this.names.find((name) => !this.#read.has(name));
    if (other === undefined) return;
    const known = [...this.#read].join(", ");
    throw new PlanError(this.#at(other), `unknown, expected ${known}`);
  }

  #take(name: string): unknown {
    this.#read.add(name);
    const value = this.#value[name];
    if (value === undefined) throw new PlanError(this.#at(name), "is missing");
    return value;
  }

  #at(name: string): string {
    return `${this.pointer}/${
      name.replaceAll("~", "~0").replaceAll("/", "~1")
    }`;
  }
}
