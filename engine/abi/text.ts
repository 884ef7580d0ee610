/** The lines of a table that hold something, without the white space around them. */
export function tableLines(table: string): string[] {
  const lines: string[] = [];
  for (const line of table.split('\n')) {
    const trimmed = line.trim();
    if (trimmed !== '') lines.push(trimmed);
  }
  return lines;
}

/** Splits `words  # note` and the words at white space. */
export function splitRow(line: string): { readonly words: readonly string[]; readonly note: string } {
  const hash = line.indexOf(' # ');
  const row = hash < 0 ? line : line.slice(0, hash);
  return { words: row.trim().split(/\s+/), note: hash < 0 ? '' : line.slice(hash + 3) };
}

const INTEGER = /^(?:0x[0-9a-f]+|[0-9]+)$/i;

/**
 * Reads the integer forms of the event text: decimal or hex digits in a string. Undefined when it is neither.
 */
export function parseUnsigned(text: string): bigint | undefined {
  return INTEGER.test(text) ? BigInt(text) : undefined;
}

/** `0x` and the hex digits of a non-negative integer. */
export function hexOf(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** Where each byte of the text stands in memory: the first three groups are little-endian integers. */
const GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
export const GUID_BYTES = 16;
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `f8615163-df3e-46c5-913f-f2d2f965ed0e`, of 16 bytes as they stand in memory (Linux guid_t). */
export function guidOf(bytes: Uint8Array): string {
  const digits = hexOfBytes(Uint8Array.from(GUID_ORDER, (at) => bytes[at] as number));
  return [0, 8, 12, 16, 20].map((from, i, starts) => digits.slice(from, starts[i + 1])).join('-');
}

/** Inverse of {@link guidOf}; undefined for what is not a GUID. */
export function bytesOfGuid(text: string): Uint8Array | undefined {
  if (!GUID.test(text)) return undefined;
  const inOrder = bytesOfHex(text.replaceAll('-', ''));
  return inOrder && Uint8Array.from(GUID_ORDER, (at) => inOrder[at] as number);
}

const HEX_OF_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Two hex digits a byte, nothing between. */
export function hexOfBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX_OF_BYTE[byte];
  return text;
}

/** Inverse of {@link hexOfBytes}; undefined for an odd length or a character that is no hex digit. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
