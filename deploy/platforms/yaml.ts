/**
 * The YAML form of values: equal values give equal text.
 *
 * @module
 */

import { stringify } from "yaml";

/** Returns the documents of a file, after a comment line. */
export function yaml(comment: string, ...documents: unknown[]): string {
  const texts = documents.map((document) =>
    stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
  );
  return `# ${comment}\n${texts.join("---\n")}`;
}
