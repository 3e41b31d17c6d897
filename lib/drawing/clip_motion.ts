/**
 * The motion between two frames of a clip, in whole codes: where the codes of
 * the next frame may be found in the one before it.
 *
 * ```text
 * frame u−1        frame u          changed          frame u+1, guessed
 * . . . . .        . . . . .        . . . . .        . . . . .
 * . a b . .   ▶    . . a b .   ⇒    . x x x .   ▶    . . . a b
 * . . . . .        . . . . .        . . . . .        . . . . .
 * ```
 *
 * The codes that changed between two frames change again, one step further:
 * those of the thing that moves, and those that it uncovers. The others stay. The direction is that in
 * which most changed codes are found again.
 *
 * @module
 */

/** The longest step of a thing, in codes along each axis. */
const REACH = 3;

/** The motion between two frames. */
export interface ClipMotion {
  /** Rows that a thing moves down in a frame. */
  readonly down: number;
  /** Codes that it moves to the right in a frame. */
  readonly right: number;
  /** Mask of the codes that changed, `[height × width]`. */
  readonly changed: Uint8Array<ArrayBuffer>;
}

/**
 * Returns the motion between two frames; undefined if no direction explains at
 * least half of the changed codes.
 *
 * @param before Codes of the first frame, `[height × width]`.
 * @param after Codes of the second frame.
 */
export function clipMotion(
  before: Uint16Array,
  after: Uint16Array,
  width: number,
): ClipMotion | undefined {
  const changed = Uint8Array.from(after, (code, i) => +(code !== before[i]));
  const places = [...changed.keys()].filter((place) => changed[place] === 1);
  let most = 0;
  let motion: ClipMotion | undefined;
  for (let down = -REACH; down <= REACH; down++) {
    for (let right = -REACH; right <= REACH; right++) {
      const moved = { down, right, changed };
      const found = places.filter((place) => {
        const source = sourceOf(moved, place, width, 1);
        return source !== undefined && after[place] === before[source];
      }).length;
      if (found <= most || 2 * found < places.length) continue;
      most = found;
      motion = moved;
    }
  }
  return motion;
}

/**
 * Returns the place in the frame before from which the code at `place` comes:
 * another one where the thing moves.
 *
 * @param frames Number of frames from the second frame of the motion to that of
 * `place`, 1 or more.
 */
export function movedFrom(
  motion: ClipMotion,
  place: number,
  width: number,
  frames: number,
): number {
  const origin = sourceOf(motion, place, width, frames);
  return origin !== undefined && motion.changed[origin] === 1
    ? sourceOf(motion, place, width, 1)!
    : place;
}

/** Returns the place some steps back; undefined if it is out of the frame. */
function sourceOf(
  { down, right, changed }: ClipMotion,
  place: number,
  width: number,
  steps: number,
): number | undefined {
  const y = Math.floor(place / width) - steps * down;
  const x = place % width - steps * right;
  const inside = y >= 0 && y < changed.length / width && x >= 0 && x < width;
  return inside ? y * width + x : undefined;
}
