import { HYPERVISOR_SETS, MSHV_SETS } from '../data/sets.ts';
import { VMBUS_SETS } from '../data/vmbus.ts';
import { tableLines } from '../text.ts';
import { hypercalls } from './hypercalls.ts';
import { messageTypes } from './messages.ts';
import { type NamedRow, NameTable } from './name-table.ts';
import { partitionProperties } from './properties.ts';
import { registers } from './registers.ts';
import { statuses } from './statuses.ts';
import { channelMessages } from './vmbus.ts';

/** One of several values. */
export interface EnumSet {
  readonly kind: 'enum';
  readonly names: NameTable<NamedRow>;
}

export interface Flag {
  readonly mask: bigint;
  /** Without the common prefix, as the event text writes it. */
  readonly name: string;
  readonly fullName: string;
}

/** Some bits of a flag word that hold one of several values. */
export interface Choice {
  readonly mask: bigint;
  readonly values: readonly Flag[];
}

/** Any of several masks. */
export interface FlagSet {
  readonly kind: 'flags';
  readonly prefix: string;
  /** Every row of the table, masks of several bits included. */
  readonly rows: readonly Flag[];
  /** The single bits that belong to no choice. */
  readonly flags: readonly Flag[];
  readonly choices: readonly Choice[];
  /** By name, with and without the prefix. */
  readonly named: ReadonlyMap<string, Flag>;
}

export type ValueSet = EnumSet | FlagSet;

/** Tables with rows of their own that a field can point to like to an enumeration. */
const SUBJECTS: Readonly<Record<string, EnumSet>> = {
  hypercalls: { kind: 'enum', names: hypercalls },
  messageTypes: { kind: 'enum', names: messageTypes },
  partitionProperties: { kind: 'enum', names: partitionProperties },
  registers: { kind: 'enum', names: registers },
  statuses: { kind: 'enum', names: statuses },
  vmbusMessages: { kind: 'enum', names: channelMessages },
};

let parsed: Map<string, ValueSet> | undefined;

function parseSet(block: readonly string[]): readonly [string, ValueSet] {
  const [kind, name = '', prefix = ''] = (block[0] as string).split(' ');
  const lines = block.slice(1).map((line) => line.split(' '));
  if (kind === 'enum') {
    const rows = lines.map(([value = '', rowName = '']) => ({ value: Number(value), name: rowName }));
    return [name, { kind, names: new NameTable([prefix], () => rows) }];
  }
  const rows = lines.map(([value = '', fullName = '']) => ({
    mask: kind === 'bits' ? 1n << BigInt(value) : BigInt(value),
    name: fullName.slice(prefix.length),
    fullName,
  }));
  const choices = rows
    .filter((_, i) => lines[i]?.[2] === 'choice')
    .map(({ mask }) => ({
      mask,
      values: rows.filter((row) => row.mask !== mask && (row.mask & ~mask) === 0n),
    }));
  const flags = rows.filter(
    ({ mask }) => mask !== 0n && (mask & (mask - 1n)) === 0n && choices.every((c) => (c.mask & mask) === 0n),
  );
  const named = new Map(rows.flatMap((row) => [[row.fullName, row] as const, [row.name, row] as const]));
  return [name, { kind: 'flags', prefix, rows, flags, choices, named }];
}

function sets(): Map<string, ValueSet> {
  if (parsed !== undefined) return parsed;
  parsed = new Map();
  let block: string[] = [];
  for (const line of [HYPERVISOR_SETS, MSHV_SETS, VMBUS_SETS, 'end'].flatMap(tableLines)) {
    if (/^[0-9]/.test(line)) {
      block.push(line);
      continue;
    }
    if (block.length > 0) parsed.set(...parseSet(block));
    block = [line];
  }
  return parsed;
}

/** The enumeration or flag set of that name (`portTypes`, `mapGpaFlags`, `statuses`). */
export function setOf(name: string): ValueSet | undefined {
  return SUBJECTS[name] ?? sets().get(name);
}

/** Every enumeration and flag set that is not a table of its own, by name. */
export function valueSets(): ReadonlyMap<string, ValueSet> {
  return sets();
}
