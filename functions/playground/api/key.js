/**
 * The key of this tab. It stays in the tab's own storage, and goes to no place
 * but this server.
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
 * Who asks for a key: gets the server's words, gives the key, or nothing.
 *
 * @param {(reason: string) => Promise<string | undefined>} ask
 */
export function askForKeysWith(ask) {
  asker = ask;
}

/**
 * Gets a key that is not `refused`; several that need one wait for the same.
 *
 * @param {string | undefined} refused
 * @param {string} reason In the server's words.
 * @returns {Promise<boolean>} Whether there is another one now.
 */
export async function anotherKey(refused, reason) {
  if (currentKey() !== refused) return true;
  asking ??= asker(reason).then((key) => {
    if (key !== undefined) sessionStorage.setItem(NAME, key);
    return key !== undefined;
  }).finally(() => asking = undefined);
  return await asking;
}
