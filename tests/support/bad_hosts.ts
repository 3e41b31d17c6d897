/**
 * The malformed values of the `Host` header.
 *
 * @module
 */

/** Values that are no host. */
export const BAD_HOSTS = [
  "",
  " ",
  "a b",
  "a, b",
  "x/docs?",
  "x?y",
  "x#y",
  "x\\y",
  "user@a",
  "user:pass@a",
  "a:b",
  "a:65536",
  "a:123456",
  "a:1:2",
  "::1",
  "[::1",
  "[::1].",
  "[nonsense]",
  "256.1.1.1",
  ".a",
  "a..b",
  "-a",
  "a%2fb",
  "ä.example",
  "http://a",
  "a".repeat(256),
];
