import { sameBytes } from '../../abi/bytes.ts';
import { msrs } from '../../abi/lookup/msrs.ts';
import type { StoreTables } from '../../state/checkpoint.ts';
import type { CellHint, SlotInfo } from '../../state/schema.ts';
import { type ObjectId, type ObjectRow, TOP } from '../../state/store.ts';
import { isPageMsr } from './compare.ts';
import { type Name, type Names, nameOf } from './names.ts';

/** Counters of what is given out: they say which names come next, and nothing else. */
const COUNTERS = new Set(['nextPartition', 'nextFrame']);
const IN_PAGE = 0xfffn;

/** The objects of a trace by a path that both traces share: those of the first in the words of the second. */
export function sharedPaths({ objects }: StoreTables, names: Names | undefined): Map<string, ObjectRow> {
  const paths = new Map<ObjectId, string>();
  const pids = new Map<ObjectId, Name>();
  const byPath = new Map<string, ObjectRow>();
  for (const row of objects) {
    const { kind, key, parent } = row;
    let name: Name = typeof key === 'bigint' ? nameOf(key) : key;
    if (kind.name === 'process') pids.set(row.id, name);
    if (names !== undefined) {
      if (kind.name === 'partition') name = names.other('partition', name) ?? name;
      if (kind.name === 'process') name = names.other('process', name) ?? name;
      if (kind.name === 'fd') name = numberOf(names.other('fd', `${pids.get(parent)}:${name}`)) ?? name;
      if (kind.name === 'port' || kind.name === 'connection') name = names.other(kind.name, name) ?? name;
    }
    const above = parent === TOP ? '' : `${paths.get(parent)}.`;
    const path = `${above}${kind.name}[${name}]`;
    paths.set(row.id, path);
    byPath.set(path, row);
  }
  return byPath;
}

/** The number of a descriptor from its name, which has the process before it. */
function numberOf(name: Name | undefined): Name | undefined {
  return typeof name === 'string' ? Number(name.slice(name.indexOf(':') + 1)) : undefined;
}

/** Whether two values of a cell mean the same; `bytes` resolves what a cell of variable data refers to. */
export function sameValue(
  { hint, path }: SlotInfo,
  a: bigint,
  b: bigint,
  names: Names,
  bytes: (value: bigint, trace: 0 | 1) => Uint8Array,
): boolean {
  if (a === b && hint.as !== 'bytes' && hint.as !== 'partition') return true;
  const last = path.slice(path.lastIndexOf('.') + 1);
  if (isRunsOwn(hint, last)) return hint.as === 'time' || COUNTERS.has(last) || (a === 0n) === (b === 0n);
  switch (hint.as) {
    case 'partition':
      return (names.other('partition', nameOf(a)) ?? nameOf(a)) === nameOf(b);
    case 'msr':
      return isPageMsr(hint.msr) && (a & IN_PAGE) === (b & IN_PAGE) && a > IN_PAGE === b > IN_PAGE;
    case 'bytes':
      return sameBytes(bytes(a, 0), bytes(b, 1));
    default:
      return false;
  }
}

/** What a run chooses: frames, descriptors, addresses, times. */
function isRunsOwn(hint: CellHint, name: string): boolean {
  if (hint.as === 'pfn' || hint.as === 'time' || COUNTERS.has(name)) return true;
  if (hint.as === 'msr') return /TIME_REF_COUNT|VP_RUNTIME/.test(msrs.name(hint.msr));
  return name === 'fd' || name === 'pid' || name === 'address' || name === 'creator';
}
