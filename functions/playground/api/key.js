/**
 * The API key of this tab, kept in its storage and sent to this server alone.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

const NAME = "emu3-key";

/** @returns {string | undefined} */
export function currentKey() {
  return sessionStorage.getItem(NAME) ?? undefined;
}

/** @type {(reason: string) => Promise<string | undefined>} */
let asker = () => Promise.resolve(undefined);

/** @type {Promise<boolean> | undefined} */
let asking;

/**
 * Sets the prompt for a key: it gets the server's message and resolves to a
 * key, or to undefined.
 *
 * @param {(reason: string) => Promise<string | undefined>} ask
 */
export function askForKeysWith(ask) {
  asker = ask;
}

/**
 * Obtains a key other than `refused`; concurrent callers share one dialog.
 *
 * @param {string | undefined} refused
 * @param {string} reason Message of the server.
 * @returns {Promise<boolean>} True if there is another key now.
 */
export async function anotherKey(refused, reason) {
  if (currentKey() !== refused) return true;
  asking ??= asker(reason).then((key) => {
    if (key !== undefined) sessionStorage.setItem(NAME, key);
    return key !== undefined;
  }).finally(() => asking = undefined);
  return await asking;
}
