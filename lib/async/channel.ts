/**
 * The conversion from callbacks to an async generator.
 *
 * @module
 */

/**
 * Yields the events that `produce` emits, in order, then returns or throws as
 * it does. A consumer that stops early aborts the signal passed to `produce`.
 *
 * @param signal Aborts `produce` from outside.
 */
export async function* channel<T>(
  produce: (emit: (event: T) => void, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const events: T[] = [];
  const abandoned = new AbortController();
  let wake = Promise.withResolvers<void>();
  let done = false;
  const emit = (event: T) => {
    events.push(event);
    wake.resolve();
  };
  const end = produce(emit, AbortSignal.any([signal, abandoned.signal]))
    .finally(() => {
      done = true;
      wake.resolve();
    });
  // Awaited below; until then a failure must not count as unhandled.
  end.catch(() => undefined);
  try {
    while (true) {
      while (events.length > 0) yield events.shift()!;
      if (done) break;
      await wake.promise;
      wake = Promise.withResolvers();
    }
    await end;
  } finally {
    abandoned.abort(
      new DOMException("the channel has no receiver", "AbortError"),
    );
  }
}
