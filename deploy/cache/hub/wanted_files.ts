/**
 * The selection of the files that a checkpoint needs.
 *
 * Only safetensors are taken as weights: pickles run code when they are read,
 * and other formats repeat the same numbers.
 *
 * @module
 */

const WANTED = /\.(?:json|jinja|tiktoken|txt|model|safetensors)$/i;

/** Pattern of files to skip: weights for other programs, notes on training. */
const UNWANTED =
  /(?:^|\/)(?:onnx|openvino|coreml|flax|tf|runs|logs|checkpoint-\d+)\/|(?:^|\/)(?:README|requirements)\b|\.(?:bin|pt|pth|msgpack)\b|(?:^|\/)(?:training_args|trainer_state|optimizer)\b/i;

/** Returns true if a checkpoint may need the file at `path`. */
export function isWanted(path: string): boolean {
  return WANTED.test(path) && !UNWANTED.test(path);
}
