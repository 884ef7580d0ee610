/** Deeper than any cell. */
const MAX_SEGMENTS = 16;
const SEGMENT = /^[a-z][a-zA-Z0-9]*(?:\[(?:\*|0x[0-9a-fA-F]{1,16}|[0-9]{1,20})\])?$/;

/**
 * True when the text has the form of a cell path, `*` keys included: `cpu[*].synic.sint[2]`. Which cells it
 * names is for the cell store to say; it is kept as it was written.
 */
export function isCellPath(text: string): boolean {
  const segments = text.split('.', MAX_SEGMENTS + 1);
  return segments.length <= MAX_SEGMENTS && segments.every((segment) => SEGMENT.test(segment));
}
