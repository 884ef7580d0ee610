import {
  CPUID_CONSTANTS,
  DRIVER_CONSTANTS,
  FEATURE_CONSTANTS,
  GENERAL_CONSTANTS,
  HYPERCALL_CONSTANTS,
  NESTED_CONSTANTS,
  SYNIC_CONSTANTS,
} from '../data/constants.ts';
import { tableLines } from '../text.ts';
import { hypercalls } from './hypercalls.ts';
import { msrs } from './msrs.ts';
import { setOf, valueSets } from './sets.ts';

const TABLES = [
  GENERAL_CONSTANTS,
  HYPERCALL_CONSTANTS,
  SYNIC_CONSTANTS,
  FEATURE_CONSTANTS,
  CPUID_CONSTANTS,
  NESTED_CONSTANTS,
  DRIVER_CONSTANTS,
];

let read: ReadonlyMap<string, bigint> | undefined;

/** Constants that stand in no other table, by name. */
export function constants(): ReadonlyMap<string, bigint> {
  if (read !== undefined) return read;
  const values = new Map<string, bigint>();
  for (const table of TABLES) {
    for (const line of tableLines(table)) {
      const [value = '', name = ''] = line.split(' ');
      values.set(name, BigInt(value));
    }
  }
  read = values;
  return values;
}

/** The value of a named constant, member of an enumeration, flag, MSR or hypercall; undefined if none is. */
export function findConstant(name: string): bigint | undefined {
  const own = constants().get(name);
  if (own !== undefined) return own;
  for (const set of [...valueSets().values(), setOf('partitionProperties')]) {
    if (set?.kind === 'flags') {
      const flag = set.named.get(name);
      if (flag?.fullName === name) return flag.mask;
    } else if (set !== undefined) {
      const row = set.names.named(name);
      if (row?.name === name) return BigInt(row.value);
    }
  }
  const row = msrs.named(name) ?? hypercalls.named(name);
  return row === undefined ? undefined : BigInt(row.value);
}

/** For names that stand in the program: an unknown one is a mistake of the programmer and throws. */
export function constant(name: string): bigint {
  const value = findConstant(name);
  if (value === undefined) throw new Error(`no constant is called ${name}`);
  return value;
}

/** {@link constant} as a number; throws when it does not fit. */
export function constantNumber(name: string): number {
  const value = constant(name);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`${name} is beyond 2^53`);
  return Number(value);
}
