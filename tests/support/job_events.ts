/**
 * The events of a job, as its stream spells them.
 *
 * @module
 */

/** An event and its id. */
export interface IdentifiedEvent {
  readonly id: number;
  readonly event: string;
  readonly data: unknown;
}

/** Events of a stream, in order; comments are passed over. */
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
