/**
 * The parser of a job's event stream.
 *
 * @module
 */

/** An event and its id. */
export interface IdentifiedEvent {
  readonly id: number;
  readonly event: string;
  readonly data: unknown;
}

/** Parses the events of a stream in order, without comments. */
export function parseEvents(text: string): IdentifiedEvent[] {
  return text.split("\n\n")
    .filter((block) => block.startsWith("event: "))
    .map((block) => {
      const field = (name: string) =>
        block.split("\n").find((line) => line.startsWith(`${name}: `))!
          .slice(name.length + 2);
      return {
        id: Number(field("id")),
        event: field("event"),
        data: JSON.parse(field("data")),
      };
    });
}
