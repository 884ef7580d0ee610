import type { Display } from '../lookup/bit-fields.ts';
import { msrs } from '../lookup/msrs.ts';
import type { NamedRow, NameTable } from '../lookup/name-table.ts';
import { type FlagSet, setOf } from '../lookup/sets.ts';
import { hexOf } from '../text.ts';
import type { AbiJson } from './json.ts';

/** HV_ANY_VP and HV_VP_INDEX_SELF are no counts. */
const FIRST_SPECIAL_VP = 0xffff_fffe;

/** How the event text writes a number of this display: a name, a list of flag names, a number or `"0x…"`. */
export function integerToJson(value: number | bigint, display: Display): AbiJson {
  if (display.startsWith('@')) return setValueToJson(value, display.slice(1));
  switch (display) {
    case 'dec':
    case 'fd':
    case 'time':
      return decimal(value);
    case 'vp':
      return value >= FIRST_SPECIAL_VP ? hexOf(value) : decimal(value);
    case 'msr':
      return msrs.name(Number(value));
    default:
      return hexOf(value);
  }
}

function decimal(value: number | bigint): AbiJson {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= -BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString();
}

function setValueToJson(value: number | bigint, setName: string): AbiJson {
  const set = setOf(setName);
  if (set === undefined) throw new Error(`no set is called ${setName}`);
  if (set.kind === 'flags') return flagNames(set, BigInt(value)) ?? hexOf(value);
  return value > 0xffff_ffff ? hexOf(value) : set.names.name(Number(value));
}

/** The names of the flags that are set, in the order of the table; undefined where names do not give the value. */
export function flagNames(set: FlagSet, value: bigint): readonly string[] | undefined {
  const names: string[] = [];
  let rest = value;
  for (const choice of set.choices) {
    const chosen = choice.values.find((candidate) => candidate.mask === (value & choice.mask));
    if (chosen === undefined) return undefined;
    if (chosen.mask !== 0n) names.push(chosen.name);
    rest &= ~choice.mask;
  }
  for (const flag of set.flags) {
    if ((rest & flag.mask) === 0n) continue;
    names.push(flag.name);
    rest &= ~flag.mask;
  }
  return rest === 0n ? names : undefined;
}

/** The names that an integer of this display may have; undefined where it has none. */
export function namesOf(display: Display): NameTable<NamedRow> | FlagSet | undefined {
  if (display === 'msr') return msrs;
  if (!display.startsWith('@')) return undefined;
  const set = setOf(display.slice(1));
  return set?.kind === 'enum' ? set.names : set;
}
