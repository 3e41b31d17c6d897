/**
 * Which files of a place a checkpoint needs.
 *
 * Weights are taken as safetensors alone: pickles run code when they are read,
 * and other formats hold the same numbers again.
 *
 * @module
 */

const WANTED = /\.(?:json|jinja|tiktoken|txt|model|safetensors)$/i;

/** The same weights for other programs, notes about training. */
const UNWANTED =
  /(?:^|\/)(?:onnx|openvino|coreml|flax|tf|runs|logs|checkpoint-\d+)\/|(?:^|\/)(?:README|requirements)\b|\.(?:bin|pt|pth|msgpack)\b|(?:^|\/)(?:training_args|trainer_state|optimizer)\b/i;

/** Whether a checkpoint may need the file at `path`. */
export function isWanted(path: string): boolean {
  return WANTED.test(path) && !UNWANTED.test(path);
}
