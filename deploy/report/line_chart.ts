/**
 * The line chart of a report, as SVG.
 *
 * @module
 */

/** A line of a chart. */
export interface Series {
  /** Name in the legend. */
  readonly name: string;
  /** Points in the order of x. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** The most points of a line; more are thinned out. */
const MAX_POINTS = 1000;

const WIDTH = 800;
const HEIGHT = 260;
const LEFT = 70;
const BOTTOM = 30;
const TOP = 10;
const COLORS = ["#2563eb", "#d97706"];

/** Returns a chart of some lines over the same axes, of finite values alone. */
export function lineChart(title: string, series: readonly Series[]): string {
  const all = series.flatMap(({ points }) => points)
    .filter(({ y }) => Number.isFinite(y));
  if (all.length === 0) return "<p>No values yet.</p>";
  const xs = rangeOf(all.map(({ x }) => x));
  const ys = rangeOf(all.map(({ y }) => y));
  const place = (x: number, y: number) => {
    const right = LEFT + (x - xs.low) / xs.span * (WIDTH - LEFT - 10);
    const down = TOP + (1 - (y - ys.low) / ys.span) * (HEIGHT - TOP - BOTTOM);
    return `${right.toFixed(1)},${down.toFixed(1)}`;
  };
  const lines = series.map(({ points: all }, i) => {
    const points = all.filter(({ y }) => Number.isFinite(y));
    const every = Math.ceil(points.length / MAX_POINTS);
    const shown = points.filter((_, i) =>
      i % every === 0 || i === points.length - 1
    );
    const path = shown.map(({ x, y }) => place(x, y)).join(" ");
    return `<polyline fill="none" stroke="${
      COLORS[i % COLORS.length]
    }" stroke-width="1.5" points="${path}"/>`;
  });
  const legend = series.map(({ name }, i) =>
    `<text x="${WIDTH - 10}" y="${24 + i * 18}" text-anchor="end" fill="${
      COLORS[i % COLORS.length]
    }">${name}</text>`
  );
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}" font-size="12" fill="currentColor">
<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${
    WIDTH - 10
  }" fill="none" stroke="currentColor"/>
${axisLabels(xs, ys)}${lines.join("")}${legend.join("")}</svg>`;
}

/** The extent of an axis. */
interface Range {
  readonly low: number;
  readonly span: number;
}

function rangeOf(values: readonly number[]): Range {
  const low = values.reduce((least, value) => Math.min(least, value));
  const high = values.reduce((most, value) => Math.max(most, value));
  return { low, span: high - low || 1 };
}

function axisLabels(xs: Range, ys: Range): string {
  const baseline = HEIGHT - BOTTOM;
  const label = (x: number, y: number, anchor: string, value: number) =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}">${
      Number(value.toPrecision(4))
    }</text>`;
  return [
    label(LEFT - 6, TOP + 10, "end", ys.low + ys.span),
    label(LEFT - 6, baseline, "end", ys.low),
    label(LEFT, HEIGHT - 8, "start", xs.low),
    label(WIDTH - 10, HEIGHT - 8, "end", xs.low + xs.span),
  ].join("");
}
