/**
 * The frames of a file that the browser can play: an animation or a video,
 * resized to the clips of a model.
 *
 * Videos need no decoder on the server then, and only the frames that are used
 * are sent to it.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { FRAMES_PER_SECOND } from "../parts/frame_control.js";

/**
 * @typedef {{ height: number, width: number }} Size
 *
 * @typedef {object} FrameOptions
 * @property {(source: Size) => Size} sizeOf Returns the size of the frames from
 *   that of the file.
 * @property {number} most Limit of frames.
 * @property {number} fps Rate at which a video is sampled.
 * @property {AbortSignal} signal
 *
 * @typedef {{ frames: Blob[], fps: number }} Frames PNGs of one size, and their
 *   rate.
 */

/** Time limit for one frame of a video, in milliseconds. */
const SEEK_MS = 10_000;

/**
 * Reads the first frames of an animation or a video.
 *
 * @param {File} file
 * @param {FrameOptions} options
 * @returns {Promise<Frames | undefined>} No frames for a still picture;
 *   undefined if the browser cannot decode the file.
 */
export async function readFrames(file, options) {
  return file.type.startsWith("video/")
    ? await videoFrames(file, options)
    : await animationFrames(file, options);
}

/**
 * Resizes a picture.
 *
 * @param {Blob} file
 * @param {FrameOptions["sizeOf"]} sizeOf
 * @returns {Promise<Blob>} PNG.
 */
export async function resized(file, sizeOf) {
  const bitmap = await createImageBitmap(file);
  try {
    return await pngOf(bitmap, sizeOf(bitmap));
  } finally {
    bitmap.close();
  }
}

/**
 * @param {File} file
 * @param {FrameOptions} options
 * @returns {Promise<Frames | undefined>}
 */
async function animationFrames(file, { sizeOf, most, signal }) {
  const { ImageDecoder } = /** @type {{ ImageDecoder?: DecoderClass }} */ (
    globalThis
  );
  if (ImageDecoder === undefined) return undefined;
  if (!await ImageDecoder.isTypeSupported(file.type)) return undefined;
  const data = await file.arrayBuffer();
  const decoder = new ImageDecoder({ data, type: file.type });
  try {
    await Promise.all([decoder.tracks.ready, decoder.completed]);
    const count = decoder.tracks.selectedTrack?.frameCount ?? 0;
    if (count < 2) return { frames: [], fps: FRAMES_PER_SECOND };
    const frames = [];
    let microseconds = 0;
    for (let frameIndex = 0; frameIndex < Math.min(count, most); frameIndex++) {
      signal.throwIfAborted();
      const { image } = await decoder.decode({ frameIndex });
      const source = { height: image.displayHeight, width: image.displayWidth };
      microseconds += image.duration ?? 0;
      frames.push(await pngOf(image, sizeOf(source)));
      image.close();
    }
    return { frames, fps: rateOf(frames.length, microseconds / 1e6) };
  } finally {
    decoder.close();
  }
}

/**
 * @typedef {CanvasImageSource & { displayHeight: number, displayWidth: number, duration: number | null, close(): void }} DecodedFrame
 *
 * @typedef {object} Decoder Animation decoder of the browser (WebCodecs).
 * @property {Promise<void>} completed
 * @property {{ ready: Promise<void>, selectedTrack: { frameCount: number } | null }} tracks
 * @property {(options: { frameIndex: number }) => Promise<{ image: DecodedFrame }>} decode
 * @property {() => void} close
 *
 * @typedef {{ new (init: { data: ArrayBuffer, type: string }): Decoder, isTypeSupported(type: string): Promise<boolean> }} DecoderClass
 */

/**
 * @param {File} file
 * @param {FrameOptions} options
 * @returns {Promise<Frames | undefined>} Undefined if the browser cannot play
 *   it.
 */
async function videoFrames(file, { sizeOf, most, fps, signal }) {
  const url = URL.createObjectURL(file);
  const video = element("video", { muted: true, preload: "auto" });
  try {
    const loaded = once(video, "loadeddata", signal);
    video.src = url;
    if (!await loaded) return undefined;
    const source = { height: video.videoHeight, width: video.videoWidth };
    const frames = [];
    // In the middle of each interval, not between two frames.
    for (let i = 0; i < most; i++) {
      const time = (i + 0.5) / fps;
      if (i > 0 && time > video.duration) break;
      const found = once(video, "seeked", signal);
      video.currentTime = Math.min(time, video.duration);
      if (!await found) break;
      // Recordings do not tell their duration: a seek ends at their last frame.
      if (i > 0 && video.currentTime < time - 0.5 / fps) break;
      frames.push(await pngOf(video, sizeOf(source)));
    }
    return { frames, fps };
  } finally {
    video.removeAttribute("src");
    URL.revokeObjectURL(url);
  }
}

/**
 * @param {HTMLVideoElement} video
 * @param {string} event
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} False on an error, or if it takes too long.
 */
async function once(video, event, signal) {
  const ends = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      const options = { signal: ends.signal };
      video.addEventListener(event, () => resolve(true), options);
      video.addEventListener("error", () => resolve(false), options);
      signal.addEventListener("abort", () => reject(signal.reason), options);
      const timer = setTimeout(() => resolve(false), SEEK_MS);
      ends.signal.addEventListener("abort", () => clearTimeout(timer));
    });
  } finally {
    ends.abort();
  }
}

/**
 * @param {CanvasImageSource} image
 * @param {Size} size
 * @returns {Promise<Blob>}
 */
async function pngOf(image, { height, width }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) {
    throw new Error("The browser does not support this canvas.");
  }
  // Transparent pixels become white.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  return await canvas.convertToBlob({ type: "image/png" });
}

/**
 * @param {number} frames
 * @param {number} seconds Their duration; zero if unknown.
 */
function rateOf(frames, seconds) {
  if (!(seconds > 0)) return FRAMES_PER_SECOND;
  return Math.min(120, Math.max(1, Math.round(10 * frames / seconds) / 10));
}
