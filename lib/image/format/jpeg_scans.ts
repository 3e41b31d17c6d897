/**
 * The decoder of a JPEG's scans into quantized coefficients of its components.
 *
 * ```text
 * SOF ─▶ components │ DQT, DHT, DRI ─▶ tables │ SOS ─▶ a scan of some components
 * sequential: all coefficients at once     progressive: a band, or a bit of them
 * ```
 *
 * It decodes the files that the build of mozjpeg does not support. Source:
 * ITU-T T.81, annexes B, F and G.
 *
 * @module
 */

import { ImageError } from "../../errors.ts";
import type { Sampling } from "./jpeg.ts";
import {
  type BlockChannel,
  BlockReader,
  type BlockTables,
  type SampleBand,
  ZIGZAG,
} from "./jpeg_blocks.ts";
import { BitReader, type HuffmanTable, huffmanTable } from "./jpeg_huffman.ts";

/** A component: its blocks of 8 × 8 coefficients. */
export interface JpegComponent extends Sampling {
  /** The identifier by which scans refer to it. */
  readonly id: number;
  /** Number of blocks in a row, padded to whole units. */
  readonly blocksWide: number;
  /** Number of rows of blocks, padded to whole units. */
  readonly blocksHigh: number;
  /**
   * Quantized coefficients in the order of rows, `[blocksHigh, blocksWide,
   * 64]`.
   */
  readonly coefficients: Int16Array;
  /** Quantization table in the order of rows, `[64]`. */
  quantization: Uint16Array;
}

/** The contents of a JPEG's scans. */
export interface JpegScans {
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
  /** Components in the order of the frame header. */
  readonly components: readonly JpegComponent[];
  /** The color transform of Adobe's marker; undefined without one. */
  readonly adobeTransform: number | undefined;
  /** True if it has a JFIF marker. */
  readonly hasJfif: boolean;
}

/** The maximum number of scans of a file, since each visits all blocks. */
const MAX_SCANS = 100;

/**
 * Reads all scans.
 *
 * @throws {ImageError} If a segment or a scan is damaged or truncated, or the
 * process does not use Huffman codes.
 */
export function readJpegScans(bytes: Uint8Array): JpegScans {
  const state = new ScanReader(bytes);
  return state.read();
}

/** A component while scans are read. */
interface Channel extends JpegComponent, BlockChannel {
  readonly table: number;
  /** Number of blocks that hold pixels, in a scan of this component alone. */
  readonly ownWide: number;
  readonly ownHigh: number;
}

/** The fields of SOS. */
interface Scan extends SampleBand {
  readonly parts: readonly ScanPart[];
}

/** A component of a scan, and its tables. */
interface ScanPart extends BlockTables {
  readonly channel: Channel;
}

class ScanReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #quantization: Uint16Array[] = [];
  readonly #dc: HuffmanTable[] = [];
  readonly #ac: HuffmanTable[] = [];
  #channels: Channel[] = [];
  #height = 0;
  #width = 0;
  #units = { wide: 0, high: 0 };
  #progressive = false;
  #interval = 0;
  #adobeTransform: number | undefined;
  #hasJfif = false;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): JpegScans {
    let scans = 0;
    let ended = false;
    for (let at = this.#marker(2); at + 2 <= this.#bytes.length;) {
      const marker = this.#bytes[at + 1]!;
      ended = marker === 0xd9;
      if (ended) break;
      if (at + 4 > this.#bytes.length) break;
      const length = this.#view.getUint16(at + 2);
      const data = this.#bytes.subarray(at + 4, at + 2 + length);
      this.#segment(marker, data);
      at += 2 + Math.max(2, length);
      if (marker === 0xda) {
        if (++scans > MAX_SCANS) {
          throw new ImageError("the JPEG has too many scans; save it again");
        }
        this.#scan(data, at);
      }
      at = this.#marker(at);
      while (isRestart(this.#bytes[at + 1])) at = this.#marker(at + 2);
    }
    // A progressive file without its end may lack scans.
    if (scans === 0 || !ended) throw new ImageError("the JPEG is truncated");
    return {
      height: this.#height,
      width: this.#width,
      components: this.#channels,
      adobeTransform: this.#adobeTransform,
      hasJfif: this.#hasJfif,
    };
  }

  /** Returns the offset of the next marker. */
  #marker(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    while (at + 1 < bytes.length) {
      const next = bytes[at + 1];
      if (bytes[at] === 0xff && next !== 0 && next !== 0xff) return at;
      at++;
    }
    return bytes.length;
  }

  #segment(marker: number, data: Uint8Array): void {
    if (marker === 0xdb) this.#readQuantization(data);
    else if (marker === 0xc4) this.#readHuffman(data);
    else if (marker === 0xdd && data.length >= 2) {
      this.#interval = data[0]! << 8 | data[1]!;
    } else if (marker === 0xe0 && startsWith(data, "JFIF\0", 14)) {
      this.#hasJfif = true;
    } else if (marker === 0xee && startsWith(data, "Adobe", 12)) {
      this.#adobeTransform = data[11]!;
    } else if (marker >= 0xc0 && marker <= 0xc2) {
      if (this.#channels.length > 0) {
        throw new ImageError("the JPEG is damaged: it has two frame headers");
      }
      this.#progressive = marker === 0xc2;
      this.#readFrame(data);
    }
  }

  #readQuantization(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      const head = data[at++]!;
      const wide = head >> 4 !== 0;
      const table = new Uint16Array(64);
      for (let i = 0; i < 64; i++) {
        const value = wide ? data[at]! << 8 | data[at + 1]! : data[at]!;
        at += wide ? 2 : 1;
        table[ZIGZAG[i]!] = value;
      }
      this.#quantization[head & 15] = table;
    }
  }

  #readHuffman(data: Uint8Array): void {
    for (let at = 0; at + 17 <= data.length;) {
      const head = data[at]!;
      const counts = data.subarray(at + 1, at + 17);
      const total = counts.reduce((sum, count) => sum + count, 0);
      const symbols = data.subarray(at + 17, at + 17 + total);
      const tables = head >> 4 === 0 ? this.#dc : this.#ac;
      tables[head & 15] = huffmanTable(counts, symbols);
      at += 17 + total;
    }
  }

  #readFrame(data: Uint8Array): void {
    if (data.length < 6 || data.length < 6 + 3 * data[5]!) {
      throw new ImageError("the JPEG is truncated");
    }
    if (data[0] !== 8) {
      throw new ImageError(
        `the JPEG has ${data[0]} bits per sample; save it with 8`,
      );
    }
    this.#height = data[1]! << 8 | data[2]!;
    this.#width = data[3]! << 8 | data[4]!;
    const parts = Array.from({ length: data[5]! }, (_, i) => {
      const [id = 0, factors = 0, table = 0] = data.subarray(6 + 3 * i);
      return { id, table, horizontal: factors >> 4, vertical: factors & 15 };
    });
    if (
      parts.some(({ horizontal: h, vertical: v }) =>
        h < 1 || h > 4 || v < 1 || v > 4
      )
    ) {
      throw new ImageError("the JPEG is damaged: a sampling factor is invalid");
    }
    const across = Math.max(...parts.map(({ horizontal }) => horizontal));
    const down = Math.max(...parts.map(({ vertical }) => vertical));
    const wide = Math.ceil(this.#width / (8 * across));
    const high = Math.ceil(this.#height / (8 * down));
    this.#units = { wide, high };
    this.#channels = parts.map((part) => {
      const blocksWide = wide * part.horizontal;
      const blocksHigh = high * part.vertical;
      return {
        ...part,
        blocksWide,
        blocksHigh,
        ownWide: Math.ceil(
          Math.ceil(this.#width * part.horizontal / across) / 8,
        ),
        ownHigh: Math.ceil(Math.ceil(this.#height * part.vertical / down) / 8),
        coefficients: new Int16Array(64 * blocksWide * blocksHigh),
        quantization: new Uint16Array(64),
        previous: 0,
      };
    });
  }

  #scan(data: Uint8Array, at: number): void {
    const scan = this.#readScan(data);
    const progressive = this.#progressive;
    const bits = new BitReader(this.#bytes, at);
    const reader = new BlockReader(bits, scan, { progressive });
    const [only] = scan.parts;
    const alone = scan.parts.length === 1;
    const wide = alone ? only!.channel.ownWide : this.#units.wide;
    const high = alone ? only!.channel.ownHigh : this.#units.high;
    reset(scan);
    for (let unit = 0; unit < wide * high; unit++) {
      if (this.#interval > 0 && unit > 0 && unit % this.#interval === 0) {
        reader.restart();
        reset(scan);
      }
      const place = { x: unit % wide, y: Math.floor(unit / wide) };
      if (alone) reader.read(only!, blockAt(only!.channel, place));
      else readUnit(reader, scan, place);
    }
  }

  #readScan(data: Uint8Array): Scan {
    const count = data[0] ?? 0;
    if (count === 0 || data.length < 4 + 2 * count) {
      throw new ImageError("the JPEG is truncated");
    }
    const parts = Array.from({ length: count }, (_, i) => {
      const [id, tables = 0] = data.subarray(1 + 2 * i);
      const channel = this.#channels.find((one) => one.id === id);
      if (channel === undefined) {
        throw new ImageError("the JPEG is damaged: a scan has no component");
      }
      // Tables may change between scans; those of the component's first scan
      // apply.
      const quantization = this.#quantization[channel.table];
      if (quantization !== undefined && channel.quantization[0] === 0) {
        channel.quantization = quantization;
      }
      return { channel, dc: this.#dc[tables >> 4], ac: this.#ac[tables & 15] };
    });
    if (!this.#progressive) {
      return { parts, start: 0, end: 63, high: 0, low: 0 };
    }
    const [start = 0, last = 63, bits = 0] = data.subarray(1 + 2 * count);
    const end = Math.min(last, 63);
    return { parts, start, end, high: bits >> 4, low: bits & 15 };
  }
}

function reset({ parts }: Scan): void {
  for (const { channel } of parts) channel.previous = 0;
}

/** Reads the blocks of all components of a unit. */
function readUnit(reader: BlockReader, { parts }: Scan, unit: Place): void {
  for (const part of parts) {
    const { horizontal, vertical } = part.channel;
    for (let v = 0; v < vertical; v++) {
      for (let h = 0; h < horizontal; h++) {
        const x = unit.x * horizontal + h;
        const y = unit.y * vertical + v;
        reader.read(part, blockAt(part.channel, { x, y }));
      }
    }
  }
}

function blockAt(
  { coefficients, blocksWide }: JpegComponent,
  { x, y }: Place,
): Int16Array {
  const at = 64 * (y * blocksWide + x);
  return coefficients.subarray(at, at + 64);
}

/** A position among blocks or units. */
interface Place {
  readonly x: number;
  readonly y: number;
}

function isRestart(marker = 0): boolean {
  return marker >= 0xd0 && marker <= 0xd7;
}

/**
 * Returns true if a marker's data is `length` bytes or more, and begins with
 * `start`.
 */
function startsWith(data: Uint8Array, start: string, length: number): boolean {
  return data.length >= length &&
    String.fromCharCode(...data.subarray(0, start.length)) === start;
}
