/**
 * Values → YAML, the same for the same values.
 *
 * @module
 */

import { stringify } from "yaml";

/** Documents of a file, after a line that says what they are. */
export function yaml(comment: string, ...documents: unknown[]): string {
  const texts = documents.map((document) =>
    stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
  );
  return `# ${comment}\n${texts.join("---\n")}`;
}
