/**
 * The bounded list: Valibot's `array` with `minLength` and `maxLength`, checked
 * in an order that is safe for untrusted lists.
 *
 * ```text
 * length ─▶ items, until the 32nd issue
 * ```
 *
 * Valibot itself validates every item before it checks the length, and
 * collects an issue (about a kilobyte) for each that is wrong. The JSON Schema
 * of a list is the same as Valibot's.
 *
 * @module
 */

import * as v from "valibot";
import { MAX_FIELD_ERRORS } from "../http/body_limits.ts";

/** The bounds of a list. */
export interface ListBounds {
  /** Minimum number of items. */
  readonly min?: number;
  /** Maximum number of items. */
  readonly max: number;
  /**
   * Accepts an item without the item's schema, for lists of many numbers. Other
   * items are validated by the schema.
   */
  readonly accepts?: (item: unknown) => boolean;
}

/** A list of items of a schema. */
export type BoundedList<T extends v.GenericSchema> = v.GenericSchema<
  unknown,
  v.InferOutput<T>[]
>;

/** Creates the schema of a list of `item`s. */
export function boundedList<const T extends v.GenericSchema>(
  item: T,
  { min = 0, max, accepts }: ListBounds,
): BoundedList<T> {
  const schema: BoundedList<T> = v.pipe(
    v.array(item),
    v.minLength(min),
    v.maxLength(max),
  );
  const lengths = [
    v.minLength<unknown[], number>(min),
    v.maxLength<unknown[], number>(max),
  ];
  return {
    ...schema,
    "~run": (dataset, config) => {
      const input = dataset.value;
      if (!Array.isArray(input)) return schema["~run"](dataset, config);
      for (const length of lengths) {
        const { issues } = length["~run"](
          { typed: true, value: input },
          config,
        );
        if (issues !== undefined) return { typed: false, value: input, issues };
      }
      return checkedItems(item, accepts, input, config);
    },
  };
}

/** Returns true if a value is a whole number from 0 to `max`. */
export function isWholeNumber(value: unknown, max: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 &&
    value <= max;
}

/** Validates items one by one, up to the maximum number of issues. */
function checkedItems<const T extends v.GenericSchema>(
  item: T,
  accepts: ListBounds["accepts"],
  input: unknown[],
  config: v.Config<v.BaseIssue<unknown>>,
): v.OutputDataset<v.InferOutput<T>[], v.BaseIssue<unknown>> {
  const value: v.InferOutput<T>[] = [];
  const pathItem = (key: number): v.ArrayPathItem => ({
    type: "array",
    origin: "value",
    input,
    key,
    value: input[key],
  });
  const issues: v.BaseIssue<unknown>[] = [];
  for (let key = 0; key < input.length; key++) {
    const one = input[key];
    if (accepts?.(one)) {
      value.push(one);
      continue;
    }
    const checked = item["~run"]({ value: one }, config);
    for (const issue of checked.issues ?? []) {
      const { path = [] } = issue;
      issues.push({ ...issue, path: [pathItem(key), ...path] });
    }
    if (issues.length >= MAX_FIELD_ERRORS) break;
    if (checked.typed) value.push(checked.value);
  }
  const [first, ...rest] = issues;
  return first === undefined
    ? { typed: true, value }
    : { typed: false, value, issues: [first, ...rest] };
}
