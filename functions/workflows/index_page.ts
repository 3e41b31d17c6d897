/**
 * The index page of a workflow: its steps, and thumbnails of its pictures.
 *
 * The page is one file without scripts, and is made as fast as it is read: one
 * picture is in memory at a time, whatever their number.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Context } from "hono";
import { html, raw } from "hono/html";
import * as v from "valibot";
import { AlbumOutput } from "../../deploy/workflows/schema/album.ts";
import type { StepStatus } from "../../deploy/workflows/schema/status.ts";
import { Emu3Error } from "../../lib/errors.ts";
import type { AppEnv } from "../http/context.ts";
import { pacedAnswer } from "../middleware/unsent.ts";
import type { Tokenizers, VisionModel } from "../models/ports.ts";
import type { WorkflowIngress } from "./ingress.ts";
import type { CallerWorkflow } from "./workflow_key.ts";
import { type Thumbnail, thumbnailOf } from "./workflow_pictures.ts";
import type { WorkflowView } from "./workflow_view.ts";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 80rem; margin: 0 auto; padding: 1rem; }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
figure { margin: 0; overflow-wrap: anywhere; }
img { display: block; max-width: 100%; height: auto; }
figcaption small { opacity: 0.75; }
`;

/** Headers of the page: nothing but its own style and pictures is loaded. */
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  vary: "accept",
  "content-security-policy":
    `default-src 'none'; img-src data:; style-src 'sha256-${
      createHash("sha256").update(STYLE).digest("base64")
    }'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
} as const;

/** A workflow to show. */
interface Shown {
  readonly workflow: CallerWorkflow;
  readonly view: WorkflowView;
}

/**
 * Answers with the index page of a workflow.
 *
 * @throws {NotReadyError} If the vision tokenizer is not loaded.
 */
export function indexPage(
  c: Context<AppEnv>,
  ingress: WorkflowIngress,
  tokenizers: Tokenizers,
  shown: Shown,
): Response {
  const { steps } = shown.view.fields;
  // Before the page begins, so that an error is the answer.
  if (steps.some(({ grid }) => grid !== undefined)) visionOf(c, tokenizers);
  if (c.req.method === "HEAD") return c.body(null, 200, HEADERS);
  const parts = pageParts(c, ingress, tokenizers, shown);
  return c.body(pacedAnswer(c, encoded(parts), () => {}), 200, HEADERS);
}

function visionOf(c: Context<AppEnv>, tokenizers: Tokenizers): VisionModel {
  return tokenizers.vision(c.req.query("model"));
}

async function* encoded(
  parts: AsyncGenerator<string>,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const part of parts) yield encoder.encode(part);
}

async function* pageParts(
  c: Context<AppEnv>,
  ingress: WorkflowIngress,
  tokenizers: Tokenizers,
  { workflow, view }: Shown,
): AsyncGenerator<string> {
  yield head(view);
  const call = c.get("call");
  const captions = captionsOf(view);
  for (const step of view.fields.steps) {
    const { grid: name } = step;
    if (name === undefined) {
      yield figure(step, step.text);
      continue;
    }
    const caption = captions.get(name) ?? step.text;
    try {
      const vision = visionOf(c, tokenizers);
      const of = { workflow, name, vision, call };
      const thumbnail = await thumbnailOf(ingress, tokenizers, of);
      yield figure(step, caption, thumbnail);
    } catch (error) {
      // One picture that cannot be shown does not hide the others.
      call.signal.throwIfAborted();
      if (!(error instanceof Emu3Error)) throw error;
      yield figure(step, error.message);
    }
  }
  yield "</main></body></html>\n";
}

function head({ fields }: WorkflowView): string {
  const { chain, status, steps, progress, problem } = fields;
  const { done, total } = progress ?? {
    done: steps.filter(({ status }) => status === "succeeded").length,
    total: steps.length,
  };
  const failures = progress?.failed ? `, ${progress.failed} failed` : "";
  return `${html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>${chain}: ${status}</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <h1>${chain}</h1>
        <p>${status}: ${done} of ${total}${failures}</p>
        ${problem && html`
          <p role="alert">${problem.detail}</p>
        `}
        <main>
  `}`;
}

/** Returns a step with its text, and its picture if it has one. */
function figure(
  { name, status, grid }: StepStatus,
  text = "",
  thumbnail?: Thumbnail,
): string {
  const label =
    html`<figcaption><small>${name}, ${status}</small><br>${text}</figcaption>`;
  if (thumbnail === undefined || grid === undefined) {
    return `${html`<figure>${label}</figure>`}\n`;
  }
  const { bytes, height, width } = thumbnail;
  const source = `data:image/jpeg;base64,${bytes.toBase64()}`;
  const link = `?grid=${encodeURIComponent(grid)}`;
  return `${html`<figure><a href="${link}"><img src="${source}" height="${height}" width="${width}" alt="${
    text || name
  }"></a>${label}</figure>`}\n`;
}

/** Returns the prompts and captions of an album by the names of its codes. */
function captionsOf({ output }: WorkflowView): ReadonlyMap<string, string> {
  const captions = new Map<string, string>();
  if (output === undefined) return captions;
  const album = v.safeParse(
    AlbumOutput,
    JSON.parse(new TextDecoder().decode(output)),
  );
  if (!album.success) return captions;
  for (const { grid, prompt, caption } of album.output.pictures) {
    if (grid === undefined) continue;
    captions.set(
      grid,
      caption === undefined ? prompt : `${prompt}: ${caption}`,
    );
  }
  return captions;
}
