/**
 * The classifier-free guidance of logits.
 *
 * @module
 */

/**
 * Guides `conditional` in place: `u + scale × (c − u)`.
 *
 * The raw logits are combined, not their log-softmax as in the reference: the
 * two differ by a constant over the vocabulary, which the following softmax
 * cancels.
 *
 * @param conditional Logits given the prompt, `[V]`; overwritten.
 * @param unconditional Logits given the negative prompt, `[V]`.
 * @param scale Guidance scale; 1 leaves the logits unchanged.
 */
export function guide(
  conditional: Float32Array,
  unconditional: Float32Array,
  scale: number,
): void {
  for (let i = 0; i < conditional.length; i++) {
    const u = unconditional[i]!;
    conditional[i] = u + scale * (conditional[i]! - u);
  }
}
