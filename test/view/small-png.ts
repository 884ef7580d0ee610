/** Makes a screenshot a third of its size: its 256 most frequent colours as a palette, and rows without filters. */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const MOST_COLOURS = 256;
/** Squared distance from which colours look unlike, and how many of those are kept. */
const APART = 30 ** 2;
const MOST_APART = 160;
/** Colour types of the PNG specification. */
const INDEXED = 3;
const BYTES_OF_TYPE: Readonly<Record<number, number>> = { 2: 3, 6: 4 };

/** A PNG of true colour, 8 bits a channel, not interlaced, as an indexed one; its transparency is dropped. */
export function smallPng(png: Buffer): Buffer {
  const chunks = chunksOf(png);
  const header = chunks.find(({ type }) => type === 'IHDR')?.data ?? Buffer.alloc(0);
  const [width, height, pixelBytes] = [
    header.readUInt32BE(0),
    header.readUInt32BE(4),
    BYTES_OF_TYPE[header[9] ?? 0],
  ];
  if (pixelBytes === undefined || header[8] !== 8 || header[12] !== 0) return png;
  const packed = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data));
  const pixels = unfiltered(inflateSync(packed), width * pixelBytes, height, pixelBytes);

  const colours = chosen(coloursOf(pixels, pixelBytes));
  const indexOf = indexes(colours);
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows[y * (width + 1) + 1 + x] = indexOf(colourAt(pixels, (y * width + x) * pixelBytes));
    }
  }
  const newHeader = Buffer.from(header);
  newHeader[9] = INDEXED;
  const palette = Buffer.from(colours.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', newHeader),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  const chunks = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push({
      type: png.toString('latin1', at + 4, at + 8),
      data: png.subarray(at + 8, at + 8 + length),
    });
    at += length + 12;
  }
  return chunks;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Undoes the filters of the rows (PNG specification, section 9). */
function unfiltered(raw: Buffer, stride: number, height: number, pixelBytes: number): Buffer {
  const out = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)] ?? 0;
    const row = y * stride;
    for (let x = 0; x < stride; x++) {
      const left = x < pixelBytes ? 0 : (out[row + x - pixelBytes] ?? 0);
      const up = y === 0 ? 0 : (out[row + x - stride] ?? 0);
      const corner = y === 0 || x < pixelBytes ? 0 : (out[row + x - stride - pixelBytes] ?? 0);
      const value = raw[y * (stride + 1) + 1 + x] ?? 0;
      out[row + x] = value + predicted(filter, left, up, corner);
    }
  }
  return out;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter !== 4) return 0;
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function colourAt(pixels: Buffer, at: number): number {
  return ((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0);
}

/** Every colour, the most frequent first. */
function coloursOf(pixels: Buffer, pixelBytes: number): number[] {
  const counts = new Map<number, number>();
  for (let at = 0; at < pixels.length; at += pixelBytes) {
    const colour = colourAt(pixels, at);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
}

/** First those unlike each other, be they rare (a single sign in its own colour), then the most frequent. */
function chosen(colours: readonly number[]): number[] {
  const apart: number[] = [];
  for (const colour of colours) {
    if (apart.length === MOST_APART) break;
    if (apart.every((other) => distance(colour, other) > APART)) apart.push(colour);
  }
  return [...apart, ...colours.filter((colour) => !apart.includes(colour))].slice(0, MOST_COLOURS);
}

/** Colour to index: its own, or that of the nearest. */
function indexes(kept: readonly number[]): (colour: number) => number {
  const known = new Map(kept.map((colour, i) => [colour, i]));
  return (colour) => {
    const found = known.get(colour);
    if (found !== undefined) return found;
    const distances = kept.map((other) => distance(colour, other));
    const nearest = distances.indexOf(Math.min(...distances));
    known.set(colour, nearest);
    return nearest;
  };
}

function distance(a: number, b: number): number {
  const [red, green, blue] = [16, 8, 0].map((shift) => ((a >> shift) & 255) - ((b >> shift) & 255));
  return (red ?? 0) ** 2 + (green ?? 0) ** 2 + (blue ?? 0) ** 2;
}
