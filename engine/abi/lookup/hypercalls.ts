import { HYPERCALLS } from '../data/hypercalls.ts';
import type { HypercallCode, StructName } from '../ids.ts';
import { splitRow, tableLines } from '../text.ts';
import { type NamedRow, NameTable } from './name-table.ts';

/** What ROOT_HVCALL lets through: not at all, on partition and VP, or on the device too (own partition). */
export type Passthrough = 'no' | 'partition' | 'device';

export interface HypercallRow extends NamedRow {
  /** The name without HVCALL_. */
  readonly abiName: string;
  /** `unknown`: code and name only, the shape was not found in a public source. */
  readonly shape: 'simple' | 'rep' | 'unknown';
  readonly variableHeader: boolean;
  /** Undefined where the shape is unknown. */
  readonly fastCapable: boolean | undefined;
  readonly fastInLinux: boolean;
  readonly passthrough: Passthrough;
  readonly input: StructName | undefined;
  readonly output: StructName | undefined;
  readonly note: string;
}

function rowOf(line: string): HypercallRow {
  const { words, note } = splitRow(line);
  const [code = '', abiName = ''] = words;
  const [input = '-', output = '-'] = words.slice(-2);
  const has = (word: string): boolean => words.includes(word);
  return {
    value: Number(code),
    name: `HVCALL_${abiName}`,
    abiName,
    shape: has('rep') ? 'rep' : has('simple') ? 'simple' : 'unknown',
    variableHeader: has('var'),
    fastCapable: has('?') ? undefined : has('fast') || has('linux-fast'),
    fastInLinux: has('linux-fast'),
    passthrough: has('pass-device') ? 'device' : has('pass') ? 'partition' : 'no',
    input: input === '-' ? undefined : (input as StructName),
    output: output === '-' ? undefined : (output as StructName),
    note,
  };
}

/** Hypercalls by call code. */
export const hypercalls = new NameTable<HypercallRow, HypercallCode>(['HVCALL_'], () =>
  tableLines(HYPERCALLS).map(rowOf),
);
