/**
 * The log of the service: one line of JSON for an event, with the invocation
 * and without prompts.
 *
 * Only chains themselves are logged at the level of information, not the queries
 * of their status. Errors that end a chain are logged by name and code, since
 * their text may quote the request.
 *
 * @module
 */

import { TerminalError } from "@restatedev/restate-sdk/fetch";
import { jsonLine } from "../../lib/escaped_text.ts";

/** Levels that are logged. */
const LEVELS = ["info", "warn", "error"];

/** Most UTF-16 units of a message. */
const MAX_MESSAGE = 1000;

/** An event of the SDK. */
export interface ServiceEvent {
  /** Level: trace, debug, info, warn or error. */
  readonly level: string;
  /** True if it was logged by an earlier attempt. */
  readonly replaying: boolean;
  /** Invocation of a handler; undefined outside of all. */
  readonly context?: {
    /** Id of the invocation. */
    readonly invocationId: string;
    /** Name of the handler. */
    readonly handlerName: string;
    /** Chain, key and handler. */
    readonly invocationTarget: string;
  };
}

/** A logger of the SDK. */
export type ServiceLog = (
  event: ServiceEvent,
  message?: unknown,
  ...rest: unknown[]
) => void;

/**
 * Returns a logger that writes lines.
 *
 * @param now Clock, in milliseconds since 1970.
 */
export function serviceLog(
  write: (line: string) => void,
  now: () => number,
): ServiceLog {
  return ({ level, replaying, context }, ...parts) => {
    const query = context !== undefined && context.handlerName !== "run";
    if (replaying || !LEVELS.includes(level)) return;
    if (level === "info" && query) return;
    const message = parts.map((part) => textOf(part).trim()).join(" ")
      .slice(0, MAX_MESSAGE);
    write(jsonLine({
      time: new Date(now()).toISOString(),
      level,
      id: context?.invocationId,
      target: context?.invocationTarget,
      message,
    }));
  };
}

function textOf(part: unknown): string {
  if (part instanceof TerminalError) return `${part.name} ${part.code}`;
  if (part instanceof Error) {
    // The SDK appends stacks to messages.
    return `${part.name}: ${part.message.split("\n")[0]}`;
  }
  return typeof part === "string" ? part : JSON.stringify(part) ?? "";
}
