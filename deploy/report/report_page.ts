/**
 * The page of a report: one file of HTML without links to others, for tuning
 * and for evaluation.
 *
 * @module
 */

/** A row of a table. */
export type ReportRow = readonly string[];

/** The contents of a page. */
export interface PageContents {
  /** Title, such as the folder of a run. */
  readonly title: string;
  /** Names and values that stand at the top. */
  readonly facts: readonly ReportRow[];
  /** Sections as HTML, in order. */
  readonly sections: readonly string[];
  /** Settings by name, which stand at the end. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;
margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
svg{width:100%;height:auto}table{border-collapse:collapse}
td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}
figure{margin:1rem 0}img{max-width:100%;image-rendering:auto}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}}`;

/** Returns the page. */
export function reportPage(
  { title, facts, sections, settings }: PageContents,
): string {
  const text = Object.entries(settings).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value) ?? "",
  ]);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style>
<h1>${escapeHtml(title)}</h1>
${htmlTable(facts)}
${sections.join("\n")}
<h2>Settings</h2>
${htmlTable(text)}
</html>
`;
}

/** Returns a section: a heading and HTML below it. */
export function reportSection(heading: string, html: string): string {
  return `<h2>${escapeHtml(heading)}</h2>\n${html}`;
}

/** Returns a picture that the page holds itself. */
export function htmlFigure(
  png: Uint8Array,
  alternative: string,
  caption: string,
): string {
  return `<figure><img alt="${
    escapeHtml(alternative)
  }" src="data:image/png;base64,${png.toBase64()}"><figcaption>${
    escapeHtml(caption)
  }</figcaption></figure>`;
}

/** Returns a table whose rows begin with their names. */
export function htmlTable(rows: readonly ReportRow[]): string {
  const cells = rows.map(([name = "", ...values]) =>
    `<tr><th>${escapeHtml(name)}</th>${
      values.map((value) => `<td>${escapeHtml(value)}</td>`).join("")
    }</tr>`
  );
  return `<table>${cells.join("")}</table>`;
}

/** Returns `text` with the characters of HTML escaped. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
}
