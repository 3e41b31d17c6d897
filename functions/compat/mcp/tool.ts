/**
 * A tool: its description for clients, and the function that runs it.
 *
 * @module
 */

import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { parseFields } from "../../http/body.ts";
import type { Call } from "../../http/call.ts";
import type { FunctionName } from "../../schema/common.ts";

/** The progress of a call. */
export interface ToolProgress {
  /** Amount of work that is done. */
  readonly progress: number;
  /** Amount of all work, if it is known. */
  readonly total?: number;
  /** Progress as text for display. */
  readonly message: string;
}

/** The context of a tool beside its arguments. */
export interface ToolUse {
  /** Context of the call. */
  readonly call: Call;
  /** Called with the progress. */
  readonly onProgress: (progress: ToolProgress) => void;
}

/** A picture in a result. */
export interface ImageContent {
  /** Type of the content. */
  readonly type: "image";
  /** File in base64. */
  readonly data: string;
  /** Media type. */
  readonly mimeType: string;
}

/** The answer of a tool. */
export interface ToolAnswer {
  /** Pictures of the answer. */
  readonly pictures: readonly ImageContent[];
  /** Fields of the answer that match the output schema. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Answer as text; JSON of the fields if omitted. */
  readonly text?: string;
}

/** A JSON Schema of an object. */
export interface ObjectSchema {
  /** Type of the value, always an object. */
  readonly type: "object";
  /** Other members of the schema. */
  readonly [member: string]: unknown;
}

/** A tool, ready to list and call. */
export interface Tool {
  /** Name of the tool. */
  readonly name: string;
  /** Function that it belongs to. */
  readonly function: FunctionName;
  /** Title for people. */
  readonly title: string;
  /** Description for models. */
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly inputSchema: ObjectSchema;
  /** JSON Schema of the answer's fields. */
  readonly outputSchema: ObjectSchema;
  /**
   * Runs the tool.
   *
   * @throws {InvalidFieldsError} If the arguments do not match the schema.
   */
  readonly run: (
    args: Readonly<Record<string, unknown>>,
    use: ToolUse,
  ) => Promise<ToolAnswer>;
}

/** The parts that define a tool. */
export interface ToolParts<T>
  extends Pick<Tool, "name" | "function" | "title" | "description"> {
  /** Schema of the arguments. */
  readonly input: v.GenericSchema<unknown, T>;
  /** Schema of the answer's fields. */
  readonly output: v.GenericSchema;
  /** Runs the tool. */
  readonly run: (args: T, use: ToolUse) => Promise<ToolAnswer>;
}

/** Returns a tool whose arguments are checked before it runs. */
export function defineTool<T>(
  { input, output, run, ...rest }: ToolParts<T>,
): Tool {
  return {
    ...rest,
    inputSchema: objectSchema(input),
    outputSchema: objectSchema(output),
    run: async (args, use) => await run(parseFields(input, args), use),
  };
}

function objectSchema(schema: v.GenericSchema): ObjectSchema {
  return { ...toJsonSchema(schema, { typeMode: "input" }), type: "object" };
}

/** Returns the picture content of a file. */
export function imageContent(
  bytes: Uint8Array,
  mimeType: string,
): ImageContent {
  return { type: "image", data: bytes.toBase64(), mimeType };
}
