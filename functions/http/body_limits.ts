/**
 * The limits on the structure of a request body, in one place. `MAX_BODY_BYTES`
 * bounds its bytes; these bound the cost of its bytes.
 *
 * A JSON body is counted before it is parsed, since parsing cannot be
 * interrupted and a byte of JSON may become 30 bytes of heap. The limits leave
 * room for twice the largest clip that `MAX_PIXELS` lets through by default
 * (64 Mpx at 256 pixels a code are 262,144 codes), and for one base64 string as
 * long as a body may be.
 *
 * @module
 */

/** Maximum field errors that an answer lists. */
export const MAX_FIELD_ERRORS = 32;

/**
 * Maximum JSON values: numbers, strings, literals, arrays and objects together.
 */
export const MAX_JSON_VALUES = 2 ** 19;

/** Maximum JSON strings (names of members count), arrays and objects together. */
export const MAX_JSON_NODES = 2 ** 15;

/** Maximum depth of nested arrays and objects. */
export const MAX_JSON_DEPTH = 64;

/** Maximum backslashes in JSON strings. PHP escapes every `/` of base64. */
export const MAX_JSON_ESCAPES = 2 ** 20;

/** Maximum bytes of JSON outside of strings: digits, punctuation, white space. */
export const MAX_JSON_BARE_BYTES = 2 ** 23;

/** Maximum JSON values of an MCP message beside the arguments of a tool. */
export const MAX_MESSAGE_VALUES = 1024;

/**
 * Maximum parts of a form: as many frames as a clip may have, and every field.
 */
export const MAX_FORM_PARTS = 320;

/** Maximum bytes of the headers of one part of a form. */
export const MAX_PART_HEADER_BYTES = 2 ** 13;

/** Maximum codes or tokens of a binary body or tensor. */
export const MAX_BINARY_CODES = 2 ** 20;

/** Maximum elements of a tensor of text or files. */
export const MAX_BYTES_ELEMENTS = 1024;

/** The longest prompt, question or conversation, in UTF-16 units. */
export const MAX_TEXT = 32_768;

/**
 * The longest text that `/v1/tokenize` accepts, in UTF-16 units: as many as the
 * longest published context has tokens.
 */
export const MAX_TOKENIZED_TEXT = 2 ** 17;
