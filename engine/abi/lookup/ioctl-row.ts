import type { FdKind, IoctlDialect, StructName } from '../ids.ts';
import { splitRow, tableLines } from '../text.ts';

/** What the bytes behind a pointer of the argument are; ../codec/ioctl.ts interprets it. */
export type BufferShape =
  | 'bytes'
  | 'message'
  | 'hypercall'
  | 'vp-state'
  | 'access-states'
  | 'gva-translation'
  | 'registers'
  | 'register-names'
  | 'register-values'
  | 'names'
  | 'values'
  | 'names+values';

export type IoctlDirection = '-' | 'W' | 'R' | 'RW';

export interface IoctlRow {
  readonly dialect: IoctlDialect;
  readonly source: string;
  readonly name: string;
  /** The full 32-bit request; undefined where the size of the argument is not known. */
  readonly number: number | undefined;
  readonly fds: readonly FdKind[];
  readonly direction: IoctlDirection;
  readonly nr: number;
  readonly size: number | undefined;
  /** A struct of the tables, `u32`, `char`, or undefined for a call without argument. */
  readonly argument: StructName | 'u32' | 'char' | undefined;
  /** The kind of descriptor that it returns. */
  readonly opens: FdKind | undefined;
  readonly in: BufferShape | undefined;
  readonly out: BufferShape | undefined;
  /** Fields of the argument that the call writes back. */
  readonly writesBack: readonly string[];
  readonly note: string;
}

/** The ioctls of one dialect, as text that is read on first use. */
export interface IoctlTable {
  readonly dialect: IoctlDialect;
  readonly source: string;
  readonly text: string;
}

/** Declares the ioctls of a dialect; the columns stand in ../data/ioctls/README.md. */
export function ioctlTable(dialect: IoctlDialect, source: string, text: string): IoctlTable {
  return { dialect, source, text };
}

/** Bits of the direction in a request number (Linux 7.2 include/uapi/asm-generic/ioctl.h). */
const DIRECTION_BITS: Readonly<Record<IoctlDirection, number>> = { '-': 0, W: 1, R: 2, RW: 3 };
export const IOCTL_TYPE = 0xb8;

/** `_IOC(direction, 0xB8, nr, size)`. */
export function ioctlNumber(direction: IoctlDirection, nr: number, size: number): number {
  return ((DIRECTION_BITS[direction] << 30) | (size << 16) | (IOCTL_TYPE << 8) | nr) >>> 0;
}

/** The parts of a request number, whatever its type. */
export function ioctlParts(number: number): {
  readonly direction: IoctlDirection;
  readonly type: number;
  readonly nr: number;
  readonly size: number;
} {
  const direction = (['-', 'W', 'R', 'RW'] as const)[number >>> 30] ?? '-';
  return { direction, type: (number >>> 8) & 0xff, nr: number & 0xff, size: (number >>> 16) & 0x3fff };
}

export function ioctlRows(table: IoctlTable): IoctlRow[] {
  return tableLines(table.text).map((line) => {
    const { words, note } = splitRow(line);
    const [number = '-', fds = '', direction, nr = '', size = '-', argument = '-', name = ''] = words;
    const option = (key: string): string | undefined =>
      words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
    return {
      dialect: table.dialect,
      source: table.source,
      name,
      number: number === '-' ? undefined : Number(number),
      fds: fds.split(',') as FdKind[],
      direction: direction as IoctlDirection,
      nr: Number(nr),
      size: size === '-' ? undefined : Number(size),
      argument: argument === '-' ? undefined : (argument as IoctlRow['argument']),
      opens: option('opens') as FdKind | undefined,
      in: option('in') as BufferShape | undefined,
      out: option('out') as BufferShape | undefined,
      writesBack: option('back')?.split(',') ?? [],
      note,
    };
  });
}
