/**
 * The refusal of a prediction's input: what its function refuses, told with the
 * fields as the client has sent them.
 *
 * @module
 */

import type { FunctionName } from "../../schema/function_names.ts";
import {
  type FieldError,
  InvalidFieldsError,
} from "../../http/errors/errors.ts";
import { givenName } from "./prediction_input.ts";

/**
 * Throws again, of the whole body, what a function refuses of the fields made
 * from `input`; returns where it refuses something else.
 *
 * @param refusal A problem document.
 * @throws {InvalidFieldsError} Pointing into `/input`.
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
