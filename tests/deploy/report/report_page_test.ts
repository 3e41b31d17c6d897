import { match, ok, strictEqual } from "node:assert/strict";
import { lineChart } from "../../../deploy/report/line_chart.ts";
import {
  escapeHtml,
  htmlFigure,
  htmlTable,
  reportPage,
  reportSection,
} from "../../../deploy/report/report_page.ts";

/** Text that would end an element or an attribute. */
const SHARP = `<b>"&'</b>`;

Deno.test("reportPage() has its parts in order, and no link to another file", () => {
  const png = Uint8Array.of(1, 2, 3);
  const page = reportPage({
    title: "run",
    facts: [["Steps", "4"]],
    sections: [
      reportSection("Loss", lineChart("Loss", [])),
      reportSection("Pictures", htmlFigure(png, "all", "after step 4")),
    ],
    settings: { model: "m", rank: 4, steps: undefined, targets: ["a"] },
  });
  match(
    page,
    /^<!doctype html>[^]*<h1>run<\/h1>[^]*Steps<\/th><td>4<[^]*<h2>Loss<[^]*<h2>Pictures<[^]*base64,AQID"[^]*after step 4[^]*<h2>Settings<[^]*model<\/th><td>m<[^]*rank<\/th><td>4<[^]*targets<\/th><td>\[&quot;a&quot;\]</,
  );
  ok(!/(src|href)="(?!data:)/.test(page));
});

Deno.test("reportPage() escapes untrusted text", () => {
  const escaped = escapeHtml(SHARP);
  ok(!/[<"]/.test(escaped));
  strictEqual(
    htmlTable([[SHARP, SHARP]]),
    `<table><tr><th>${escaped}</th><td>${escaped}</td></tr></table>`,
  );
  const page = reportPage({
    title: SHARP,
    facts: [[SHARP, SHARP]],
    sections: [
      reportSection(SHARP, ""),
      htmlFigure(new Uint8Array(), SHARP, SHARP),
    ],
    settings: { [SHARP]: SHARP },
  });
  ok(!page.includes("<b>"));
});

Deno.test("lineChart() omits values that are not finite", () => {
  const points = [1, NaN, 3, Infinity].map((y, x) => ({ x, y }));
  const chart = lineChart("Loss", [{ name: "loss", points }]);
  ok(!/NaN|Infinity/.test(chart), chart);
  match(chart, /<polyline[^>]* points="[\d., ]+"/);
});
