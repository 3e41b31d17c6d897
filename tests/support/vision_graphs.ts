/**
 * The graphs of the vision tokenizer, by name.
 *
 * @module
 */

import type { GraphBuilder } from "../../lib/vision/vision_sessions.ts";
import {
  clipStreamsGraph,
  frameDecoderGraph,
  stillStreamsGraph,
} from "../../models/vision_decoder.ts";
import {
  clipLatentGraph,
  frameEncoderGraph,
  stillLatentGraph,
} from "../../models/vision_encoder.ts";
import { quantizerGraph } from "../../models/vision_quantizer.ts";

/** Builders of all graphs. */
export const VISION_GRAPHS: Readonly<Record<string, GraphBuilder>> = {
  frameEncoderGraph,
  stillLatentGraph,
  clipLatentGraph,
  quantizerGraph,
  stillStreamsGraph,
  clipStreamsGraph,
  frameDecoderGraph,
};
