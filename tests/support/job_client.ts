/**
 * What a client of jobs does, over HTTP.
 *
 * @module
 */

import type { StoredEvent } from "../../functions/http/sse.ts";

/** Sends a request; a server's, or an application's. */
export type Send = (
  path: string,
  init?: RequestInit,
) => Response | Promise<Response>;

/** A job as it is told; what is asked of it in tests. */
export interface ToldJob {
  /** Its name. */
  readonly id: string;
  /** Where it stands. */
  readonly status: string;
  /** Whether it can go on. */
  readonly resumable: boolean;
  /** How far it is. */
  readonly progress: { readonly done: number; readonly total: number | null };
  /** What came of it. */
  // deno-lint-ignore no-explicit-any
  readonly result?: any;
  /** Why nothing did. */
  // deno-lint-ignore no-explicit-any
  readonly error?: any;
}

/** The events of a stream that are numbered. */
export function parseStored(text: string): StoredEvent[] {
  return text.split("\n\n").filter((block) => block.startsWith("event: "))
    .map((block) => {
      const [, event, data, id] = /^event: (\w+)\ndata: (.*)\nid: (\d+)$/s
        .exec(block)!;
      return { event: event!, data: data!, id: Number(id) };
    });
}

/** Talks to `/v1/jobs`. */
export class JobClient {
  /** Sends its requests by `send`. */
  constructor(readonly send: Send) {}

  /** A job. */
  async get(id: string): Promise<ToldJob> {
    return await (await this.send(`/v1/jobs/${id}`)).json();
  }

  /** The newest jobs. */
  async list(): Promise<ToldJob[]> {
    const { data } = await (await this.send("/v1/jobs")).json();
    return data;
  }

  /** What happened to a job after an event, until it ends. */
  async events(id: string, after?: number): Promise<StoredEvent[]> {
    const headers = new Headers();
    if (after !== undefined) headers.set("last-event-id", `${after}`);
    const path = `/v1/jobs/${id}/events`;
    const response = await this.send(path, { headers });
    return parseStored(await response.text());
  }

  /** A job once it has ended. */
  async ended(id: string): Promise<ToldJob> {
    await this.events(id);
    return await this.get(id);
  }

  /** Lets a job go on. */
  async resume(id: string): Promise<Response> {
    return await this.send(`/v1/jobs/${id}/resume`, { method: "POST" });
  }

  /** Ends a job. */
  async cancel(id: string): Promise<Response> {
    return await this.send(`/v1/jobs/${id}`, { method: "DELETE" });
  }
}
