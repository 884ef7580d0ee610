/**
 * What the opcode tables are made of. Operand forms are written as the Intel SDM's opcode maps do (volume 2, A.2):
 *   E G       ModRM: register or memory, register         S          segment register in ModRM
 *   M         ModRM: memory only                           Z          register in the opcode's low bits
 *   V         an XMM register in ModRM.reg, as a plain number; the rm operand then is one too, or memory
 *   C D       control, debug register in ModRM.reg; the rm field names a register whatever mod says
 *   I J A O   immediate, relative jump, far pointer, absolute offset
 * followed by the size: b, w, d, v (16 or 32 by operand size), z (as v), s (a byte, sign-extended to the operand size).
 * A form without operands gives the operand size alone: `b` or `v` (the default).
 */
import type { Execute } from '../instruction.ts';

export interface Row {
  readonly form: Form;
  readonly execute: Execute;
  readonly kind: number;
  /** The run loop looks again after it. */
  readonly ends: boolean;
  /** LOCK is allowed where the destination is in memory. */
  readonly lockable: boolean;
  /** It is locked with a destination in memory, also without the prefix. */
  readonly locks: boolean;
  /** It asks for the operand size itself, 8 bytes included. */
  readonly anySize: boolean;
}

/** A row chosen by more than the opcode: by the whole ModRM byte. */
export interface Group {
  readonly choose: (modrm: number) => Row | undefined;
}

/** Chosen by the prefix before it, which is then no prefix: none, 66, F3 or F2. */
export interface Prefixed {
  readonly none: Entry;
  readonly p66: Entry;
  readonly f3: Entry;
  readonly f2: Entry;
}

/** Chosen by F3 or F2 before it; 66 gives the operand size as ever. */
export interface Repeated {
  readonly plain: Entry;
  readonly rep: Entry;
  readonly repne: Entry;
}

export type Entry = Row | Group | Prefixed | Repeated | undefined;

export type RmForm = 'none' | 'any' | 'memory' | 'register';

export interface Form {
  readonly modrm: boolean;
  readonly rm: RmForm;
  /** The register operand: in ModRM as a general register or as a plain number; or none. */
  readonly reg: 'none' | 'general' | 'segment' | 'number';
  /** The rm operand stands in the low bits of the opcode. */
  readonly opcodeRegister: boolean;
  /** The operand is at an absolute offset. */
  readonly absolute: boolean;
  /** Operand size in bytes; 0 follows the operand-size prefix. */
  readonly size: 0 | 1 | 2 | 4;
  /** MOVZX and MOVSX: the narrower size of the rm operand; else 0. */
  readonly narrow: 0 | 1 | 2;
  readonly immediates: readonly Immediate[];
  /** It has an operand size at all. */
  readonly sized: boolean;
}

/** Bytes of an immediate; `z` 2 or 4 by operand size; `s` a byte that is sign-extended; jumps are not cut. */
export type Immediate = 'b' | 'w' | 'z' | 's' | 'Jb' | 'Jz' | 'A';

const SIZES: Readonly<Record<string, 0 | 1 | 2 | 4>> = { b: 1, w: 2, d: 4, v: 0, z: 0 };

const immediateOf: Readonly<Record<string, Immediate>> = {
  Ib: 'b',
  Iw: 'w',
  Iz: 'z',
  Is: 's',
  Jb: 'Jb',
  Jz: 'Jz',
  Ap: 'A',
};

const forms = new Map<string, Form>();

function formOf(text: string): Form {
  const known = forms.get(text);
  if (known !== undefined) return known;
  const form = parseForm(text.split(' ').filter((word) => word !== ''));
  forms.set(text, form);
  return form;
}

function parseForm(words: readonly string[]): Form {
  const startsWith = (letters: string): string | undefined =>
    words.find((word) => letters.includes(word[0]!));
  const rmWord = startsWith('EM');
  const regWord = startsWith('GSCDV');
  const operand = words.find((word) => immediateOf[word] === undefined) ?? '';
  const size = SIZES[operand.at(-1) ?? ''] ?? 0;
  const rmSize = SIZES[rmWord?.at(-1) ?? ''] ?? 0;
  const registerOnly = startsWith('CD') !== undefined;
  return {
    modrm: rmWord !== undefined || regWord !== undefined,
    rm: registerOnly ? 'register' : rmWord === undefined ? 'none' : rmWord[0] === 'M' ? 'memory' : 'any',
    reg:
      regWord === undefined
        ? 'none'
        : regWord[0] === 'G'
          ? 'general'
          : regWord[0] === 'S'
            ? 'segment'
            : 'number',
    opcodeRegister: startsWith('Z') !== undefined,
    absolute: startsWith('O') !== undefined,
    size,
    narrow: words[0]?.[0] === 'G' && size !== rmSize && (rmSize === 1 || rmSize === 2) ? rmSize : 0,
    sized: words.length > 0,
    immediates: words.flatMap((word) => immediateOf[word] ?? []),
  };
}

type Option = 'ends' | 'lock' | 'locks' | 'any';

export function row(form: string, execute: Execute, kind = 0, ...options: readonly Option[]): Row {
  return {
    form: formOf(form),
    execute,
    kind,
    ends: options.includes('ends'),
    lockable: options.includes('lock') || options.includes('locks'),
    locks: options.includes('locks'),
    anySize: options.includes('any'),
  };
}

/** An XMM register, and one or memory: their indexes are those of 4-byte registers. */
export const XMM = 'Ed Vd';
/** The other one is a general register of 4 or 8 bytes. */
export const GENERAL = 'Ev Vd';

export const byPrefix = (none?: Entry, p66?: Entry, f3?: Entry, f2?: Entry): Prefixed => ({
  none,
  p66,
  f3,
  f2,
});
export const x = (execute: Execute, kind = 0, form = XMM): Row =>
  form.startsWith(GENERAL) ? row(form, execute, kind, 'any') : row(form, execute, kind);

/** Chosen by ModRM.reg; registers only. */
export function registersOnly<T>(
  operations: Readonly<Record<number, T>>,
  execute: (operation: T) => Execute,
): Group {
  const rows = Array.from({ length: 8 }, (_, n) => {
    const operation = operations[n];
    return operation === undefined ? undefined : row('Ed Ib', execute(operation));
  });
  return { choose: (modrm) => (modrm < 0xc0 ? undefined : rows[(modrm >> 3) & 7]) };
}

/** Chosen by ModRM.reg. */
export function group(...rows: readonly (Row | undefined)[]): Group {
  return { choose: (modrm) => rows[(modrm >> 3) & 7] };
}

/** The rows for a memory operand, and those for whole ModRM bytes. */
export function groupWithSpecials(
  rows: readonly (Row | undefined)[],
  specials: ReadonlyMap<number, Row>,
): Group {
  return { choose: (modrm) => specials.get(modrm) ?? rows[(modrm >> 3) & 7] };
}
