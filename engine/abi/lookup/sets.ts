import { HYPERVISOR_SETS, MSHV_SETS } from '../data/sets.ts';
import { tableLines } from '../text.ts';
import { hypercalls } from './hypercalls.ts';
import { messageTypes } from './messages.ts';
import { type NamedRow, NameTable } from './name-table.ts';
import { partitionProperties } from './properties.ts';
import { registers } from './registers.ts';
import { statuses } from './statuses.ts';

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

/** Any of several masks. */
export interface FlagSet {
  readonly kind: 'flags';
  readonly prefix: string;
  readonly flags: readonly Flag[];
}

export type ValueSet = EnumSet | FlagSet;

/** Tables with rows of their own that a field can point to like to an enumeration. */
const SUBJECTS: Readonly<Record<string, EnumSet>> = {
  hypercalls: { kind: 'enum', names: hypercalls },
  messageTypes: { kind: 'enum', names: messageTypes },
  partitionProperties: { kind: 'enum', names: partitionProperties },
  registers: { kind: 'enum', names: registers },
  statuses: { kind: 'enum', names: statuses },
};

let parsed: Map<string, ValueSet> | undefined;

function parseSet(block: readonly string[]): readonly [string, ValueSet] {
  const [kind, name = '', prefix = ''] = (block[0] as string).split(' ');
  const rows = block.slice(1).map((line) => {
    const [value = '', rowName = ''] = line.split(' ');
    return { value: Number(value), name: rowName };
  });
  if (kind === 'enum') return [name, { kind, names: new NameTable([prefix], () => rows) }];
  const flags = rows.map((row) => ({
    mask: kind === 'bits' ? 1n << BigInt(row.value) : BigInt(row.value),
    name: row.name.slice(prefix.length),
    fullName: row.name,
  }));
  return [name, { kind: 'flags', prefix, flags }];
}

function sets(): Map<string, ValueSet> {
  if (parsed !== undefined) return parsed;
  parsed = new Map();
  let block: string[] = [];
  for (const line of [...tableLines(HYPERVISOR_SETS), ...tableLines(MSHV_SETS), 'end']) {
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
