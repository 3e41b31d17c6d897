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
      "ETags of responses that the client has. If the response would have one of them, the request fails with 412 before anything is computed.",
    schema: { type: "string" },
  },
  {
    in: "header",
    name: "If-Match",
    description:
      "ETags of expected responses. If the response would have none of them, the request fails with 412 before anything is computed. Weak tags never match.",
    schema: { type: "string" },
  },
];

/** Returns `route` with an entity tag that is known before anything runs. */
export function mayBeKnown(route: RouteDescription): RouteDescription {
  const { 200: answer, ...others } = route.answers;
  if (answer === undefined) throw new TypeError("expected an answer 200");
  const etag = header(
    "ETag of a reproducible response; weak if the body contains an id or timings.",
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
