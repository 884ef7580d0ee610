/** How a number is meant to be read. `@name` is an enumeration or flag set of the tables. */
export type Display =
  | 'hex'
  | 'dec'
  | 'gpa'
  | 'gva'
  | 'pfn'
  | 'partition'
  | 'vp'
  | 'msr'
  | 'fd'
  | 'time'
  | 'bytes'
  | 'guid'
  | 'message'
  | `@${string}`;

/** Some bits of a little-endian carrier; `lsb` counts from bit 0 of the carrier. */
export interface BitField {
  readonly name: string;
  readonly lsb: number;
  readonly width: number;
  readonly display: Display;
  /** Another reading of bits that a sibling names: readers accept it, writers do not use it. */
  readonly alternative: boolean;
  /** Must be zero, or preserved; not written while it is zero. */
  readonly reserved: boolean;
}

const RESERVED = /^_*(?:rsvd|rserved|resvd|reserved|preserved|padding|pad|mbz)/i;
const RESERVED_EXACT = new Set(['res', 'cda_unused']);

/** Whether a name says that nothing is meant to stand there. */
export function isReservedName(name: string): boolean {
  return RESERVED.test(name) || RESERVED_EXACT.has(name);
}

const BIT_FIELD = /^\[(\d+)(?:\.\.(\d+))?\] (~?)(\w+)(?: (\S+))?$/;

/** Reads `[16] masked` or `[12..63] base_simp_gpa pfn`; `~` before the name marks an alternative. */
export function parseBitField(line: string): BitField | undefined {
  const match = BIT_FIELD.exec(line);
  if (match === null) return undefined;
  const [, low = '', high = low, tilde, name = '', display = 'dec'] = match;
  return {
    name,
    lsb: Number(low),
    width: Number(high) - Number(low) + 1,
    display: display as Display,
    alternative: tilde === '~',
    reserved: isReservedName(name),
  };
}
