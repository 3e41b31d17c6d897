/**
 * A tool: what a client is told of it, and what it does.
 *
 * @module
 */

import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { parseFields } from "../../http/body.ts";
import type { Call } from "../../http/call.ts";
import type { FunctionName } from "../../schema/function_names.ts";

/** How far a call is. */
export interface Progress {
  /** What is done. */
  readonly progress: number;
  /** What there is to do, where it is known. */
  readonly total?: number;
  /** The same for people. */
  readonly message: string;
}

/** What a tool is called with beside its arguments. */
export interface ToolUse {
  /** What goes with it. */
  readonly call: Call;
  /** Told how far it is. */
  readonly onProgress: (progress: Progress) => void;
}

/** A picture in a result. */
export interface ImageContent {
  /** Its kind. */
  readonly type: "image";
  /** In base64. */
  readonly data: string;
  /** Media type. */
  readonly mimeType: string;
}

/** What a tool answers. */
export interface ToolAnswer {
  /** Pictures that it made. */
  readonly pictures: readonly ImageContent[];
  /** The rest, as its output schema says. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The rest in words; JSON of the fields where left out. */
  readonly text?: string;
}

/** A JSON Schema of an object. */
export interface ObjectSchema {
  /** Always this. */
  readonly type: "object";
  /** The rest of it. */
  readonly [member: string]: unknown;
}

/** A tool, ready to list and call. */
export interface Tool {
  /** By which it is called. */
  readonly name: string;
  /** Of which it is part. */
  readonly function: FunctionName;
  /** For people. */
  readonly title: string;
  /** For models. */
  readonly description: string;
  /** Of its arguments. */
  readonly inputSchema: ObjectSchema;
  /** Of the fields that it answers. */
  readonly outputSchema: ObjectSchema;
  /**
   * Does it.
   *
   * @throws {InvalidFieldsError} When the arguments are not as they should be.
   */
  readonly run: (
    args: Readonly<Record<string, unknown>>,
    use: ToolUse,
  ) => Promise<ToolAnswer>;
}

/** What a tool is made of. */
export interface ToolParts<T>
  extends Pick<Tool, "name" | "function" | "title" | "description"> {
  /** Of its arguments. */
  readonly input: v.GenericSchema<unknown, T>;
  /** Of the fields that it answers. */
  readonly output: v.GenericSchema;
  /** Does it. */
  readonly run: (args: T, use: ToolUse) => Promise<ToolAnswer>;
}

/** A tool whose arguments are checked before it runs. */
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
