/**
 * The description of entity tags.
 *
 * @module
 */

import { header, type RouteDescription } from "./describe.ts";

type Parameters = NonNullable<RouteDescription["parameters"]>;

const CONDITIONS: Parameters = [
  {
    in: "header",
    name: "If-None-Match",
    description:
      "Tags of answers that the client has: 412 at once if it would be one of them.",
    schema: { type: "string" },
  },
  {
    in: "header",
    name: "If-Match",
    description:
      "Tags of the answers that are wanted: 412 at once if it would be none of them. A weak tag matches none.",
    schema: { type: "string" },
  },
];

/** Returns `route` with an entity tag that is known before anything runs. */
export function mayBeKnown(route: RouteDescription): RouteDescription {
  const { 200: answer, ...others } = route.answers;
  if (answer === undefined) throw new TypeError("expected an answer 200");
  const etag = header(
    "Of what comes out the same again; weak where the body tells an id or timings.",
    "string",
    false,
  );
  const headers = { ...answer.headers, "ETag": etag };
  return {
    ...route,
    parameters: [...route.parameters ?? [], ...CONDITIONS],
    answers: { ...others, 200: { ...answer, headers } },
    problems: [...route.problems, "precondition-failed"],
  };
}
