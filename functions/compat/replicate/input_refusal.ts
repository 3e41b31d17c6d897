/**
 * The refusal of a prediction's input: the function's errors, with the field
 * names that the client sent.
 *
 * @module
 */

import type { FunctionName } from "../../schema/common.ts";
import {
  type FieldError,
  InvalidFieldsError,
} from "../../http/errors/errors.ts";
import { givenName } from "./prediction_input.ts";

/**
 * Rethrows field errors of a function with pointers into the whole body;
 * returns if the refusal has other causes.
 *
 * @param refusal Problem document of the function.
 * @throws {InvalidFieldsError} If fields made from `input` are invalid; points
 * into `/input`.
 */
export async function refuseInput(
  refusal: Response,
  input: Readonly<Record<string, unknown>>,
  name: FunctionName,
): Promise<void> {
  const { error, errors } = await refusal.clone().json();
  if (error?.code !== "invalid-fields") return;
  const fields: readonly FieldError[] = errors;
  throw new InvalidFieldsError(fields.map(({ pointer, detail }) => {
    const [, field, ...rest] = pointer.split("/");
    const path = field === undefined
      ? []
      : [givenName(input, name, field), ...rest];
    return { pointer: ["/input", ...path].join("/"), detail };
  }));
}
