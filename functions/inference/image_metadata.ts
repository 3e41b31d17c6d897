/**
 * The image metadata of a generated picture or clip: its settings, and the IPTC
 * mark of AI-generated media.
 *
 * The mark is the digital source type in XMP. Source: IPTC Photo Metadata
 * Standard 2025.1; PNG and JPEG as in XMP Specification Part 3.
 *
 * @module
 */

import { drawnCount } from "../../lib/drawing/kept_codes.ts";
import type { GenerationParams } from "../../lib/emu3.ts";
import { drawnFrameHeight } from "../../lib/clip_layout.ts";
import { clipFields, gridFields } from "../http/grid_json.ts";
import { keptFields } from "./kept_codes.ts";
import { VERSION } from "../../lib/version.ts";

/** The origin of a picture or a clip. */
export interface PictureOrigin {
  /** Name of the language model. */
  readonly model: string;
  /** Parameters of the generation. */
  readonly params: GenerationParams;
  /** Index of the picture or clip in the request. */
  readonly imageIndex: number;
}

/**
 * The IPTC term for media made by a model that was trained on sampled content.
 */
export const DIGITAL_SOURCE_TYPE =
  "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

/** The PNG keyword of XMP. */
const XMP_KEYWORD = "XML:com.adobe.xmp";

/** Returns the texts of a PNG or an APNG by keyword. */
export function pictureTexts(origin: PictureOrigin): Record<string, string> {
  const given = givenFields(origin.params);
  return {
    Description: printable(origin.params.prompt),
    Software: `emu3 ${VERSION}`,
    parameters: JSON.stringify({ ...settings(origin), ...given }),
    [XMP_KEYWORD]: xmpPacket(origin),
  };
}

/** Returns the given codes, as fields of the API. */
function givenFields(params: GenerationParams) {
  const { prefix, keep, clip } = params;
  if (keep !== undefined) return { keep: keptFields(keep) };
  if (prefix === undefined) return {};
  if (clip === undefined) return { prefix: gridFields(prefix) };
  const height = drawnFrameHeight(params);
  const { width, codes } = prefix;
  const { framesPerCode } = clip;
  const frames = prefix.height / height;
  const given = { frames, height, width, framesPerCode, codes };
  return { clip: clipFields(given) };
}

/** Returns the number of given codes, rows or frames of codes. */
function givenCount(params: GenerationParams) {
  const { prefix, keep, clip } = params;
  if (keep !== undefined) {
    return { "kept_codes": keep.codes.length - drawnCount(keep) };
  }
  if (prefix === undefined) return {};
  return clip === undefined
    ? { "prefix_rows": prefix.height }
    : { "clip_frames": prefix.height / drawnFrameHeight(params) };
}

/**
 * Returns an XMP packet with the mark and the settings of the picture or clip.
 *
 * Given rows and codes are only counted: a JPEG has 64 KB for the packet.
 */
export function xmpPacket(origin: PictureOrigin): string {
  const { params, model } = origin;
  const given = givenCount(params);
  const attributes: Record<string, string> = {
    "xmp:CreatorTool": `emu3 ${VERSION}`,
    "Iptc4xmpExt:DigitalSourceType": DIGITAL_SOURCE_TYPE,
    "Iptc4xmpExt:AISystemUsed": model,
    "Iptc4xmpExt:AISystemVersionUsed": VERSION,
    "Iptc4xmpExt:AIPromptInformation": params.prompt,
    "exif:UserComment": JSON.stringify({ ...settings(origin), ...given }),
  };
  const list = Object.entries(attributes)
    .map(([name, value]) => `${name}="${escapeXml(value)}"`).join("\n  ");
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
  xmlns:xmp="http://ns.adobe.com/xap/1.0/"
  xmlns:exif="http://ns.adobe.com/exif/1.0/"
  xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
  ${list}/>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>`;
}

/**
 * Returns the settings that reproduce the picture or clip, as fields of the
 * API. The grid is that of one frame.
 */
function settings({ model, params, imageIndex }: PictureOrigin) {
  const { sampling, size, clip } = params;
  const height = drawnFrameHeight(params);
  return {
    model,
    seed: params.seed,
    "image_index": imageIndex,
    "negative_prompt": params.negativePrompt,
    "guidance_scale": params.guidanceScale,
    temperature: sampling.temperature,
    "top_k": sampling.topK,
    "top_p": sampling.topP,
    grid: { height, width: size.width },
    ...(clip && { frames: clip.frames * clip.framesPerCode, fps: clip.fps }),
    strategy: params.strategy.name,
    ...(params.adapter !== undefined && { adapter: params.adapter }),
    version: VERSION,
  };
}

function escapeXml(text: string): string {
  return printable(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Removes characters that are invalid in XML and PNG texts. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.toWellFormed().replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "");
}
