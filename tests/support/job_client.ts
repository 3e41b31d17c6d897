/**
 * The client of jobs over HTTP.
 *
 * @module
 */

import type { StoredEvent } from "../../functions/http/sse.ts";

/** Sends a request to a server or an application. */
export type Send = (
  path: string,
  init?: RequestInit,
) => Response | Promise<Response>;

/** A job as the API returns it; the fields that tests read. */
export interface ToldJob {
  /** Identifier. */
  readonly id: string;
  /** Status. */
  readonly status: string;
  /** True if it can be resumed. */
  readonly resumable: boolean;
  /** Progress. */
  readonly progress: { readonly done: number; readonly total: number | null };
  /** Result. */
  // deno-lint-ignore no-explicit-any
  readonly result?: any;
  /** Error. */
  // deno-lint-ignore no-explicit-any
  readonly error?: any;
}

/** Parses the numbered events of a stream. */
export function parseStored(text: string): StoredEvent[] {
  return text.split("\n\n").filter((block) => block.startsWith("event: "))
    .map((block) => {
      const [, event, data, id] = /^event: (\w+)\ndata: (.*)\nid: (\d+)$/s
        .exec(block)!;
      return { event: event!, data: data!, id: Number(id) };
    });
}

/** A client of `/v1/jobs`. */
export class JobClient {
  /** Creates a client that sends requests by `send`. */
  constructor(readonly send: Send) {}

  /** Returns a job. */
  async get(id: string): Promise<ToldJob> {
    return await (await this.send(`/v1/jobs/${id}`)).json();
  }

  /** Returns the latest jobs. */
  async list(): Promise<ToldJob[]> {
    const { data } = await (await this.send("/v1/jobs")).json();
    return data;
  }

  /** Returns the events of a job after a given one, until it ends. */
  async events(id: string, after?: number): Promise<StoredEvent[]> {
    const headers = new Headers();
    if (after !== undefined) headers.set("last-event-id", `${after}`);
    const path = `/v1/jobs/${id}/events`;
    const response = await this.send(path, { headers });
    return parseStored(await response.text());
  }

  /** Returns a job once it has ended. */
  async ended(id: string): Promise<ToldJob> {
    await this.events(id);
    return await this.get(id);
  }

  /** Resumes a job. */
  async resume(id: string): Promise<Response> {
    return await this.send(`/v1/jobs/${id}/resume`, { method: "POST" });
  }

  /** Cancels a job. */
  async cancel(id: string): Promise<Response> {
    return await this.send(`/v1/jobs/${id}`, { method: "DELETE" });
  }
}
