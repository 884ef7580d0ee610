import {
  allIoctls,
  errnos,
  hypercalls,
  type IoctlRow,
  messageTypes,
  msrs,
  type NamedRow,
  type NameTable,
  statuses,
} from '../abi/index.ts';
import {
  DIALECTS,
  type Dialect,
  EVENT_KINDS,
  type EventKind,
  FD_WHATS,
  LIFECYCLE_WHATS,
  MARK_WHATS,
  MESSAGE_WHATS,
  PAGE_WHATS,
} from '../trace/event.ts';
import type { HandleKind } from '../trace/handle.ts';
import { type FieldNames, type Guard, type NameEntry, nameTable } from './table.ts';

/** Numbers of the kinds of handles in the hidden field `handlekind`. Append only: stores keep them. */
export const HANDLE_KINDS: readonly HandleKind[] = [
  'device',
  'partition',
  'vp',
  'vtl',
  'hvcall',
  'sint',
  'vtl-low',
  'eventfd',
  'foreign',
];

/** Numbers of the two directions of an MSR access as `op`. */
export const MSR_DIRS = ['read', 'write'] as const;

/**
 * What `op` counts for the kinds whose operation is a word: their numbers are the places in these lists. The
 * `op` of an ioctl is its request, that of an intercept its message type; a hypercall has `code` instead.
 */
export const OP_WORDS: Readonly<Partial<Record<EventKind, readonly string[]>>> = {
  msr: MSR_DIRS,
  message: MESSAGE_WHATS,
  fd: FD_WHATS,
  page: PAGE_WHATS,
  lifecycle: LIFECYCLE_WHATS,
  mark: MARK_WHATS,
};

/** The names of an ABI table; it accepts every form of a name that the event text does. */
function abiNames(table: NameTable<NamedRow>, form: string): FieldNames {
  return {
    lookup(name) {
      const row = table.named(name);
      return row === undefined ? [] : [{ name, value: BigInt(row.value), when: [] }];
    },
    get entries() {
      return table.all().map((row) => ({ name: row.name, value: BigInt(row.value), when: [] }));
    },
    get offered() {
      return table.all().map((row) => row.name);
    },
    form,
  };
}

export const MSR_NAMES = abiNames(msrs, 'an MSR by name or number');
export const CODE_NAMES = abiNames(hypercalls, 'a hypercall by name or call code');
export const STATUS_NAMES = abiNames(statuses, 'a status by name or number');
export const ERRNO_NAMES = abiNames(errnos, 'an errno such as EINVAL');

export function ofKind(kind: EventKind): Guard {
  return { field: 'kind', value: BigInt(EVENT_KINDS.indexOf(kind)) };
}

/** One meaning for each kind of handle that the call is made on. */
function ioctlEntries(row: IoctlRow): NameEntry[] {
  const { number, name, dialect, fds } = row;
  // Two calls of out-of-tree drivers have no known size and so no number; they are found by number alone.
  if (number === undefined) return [];
  return HANDLE_KINDS.flatMap((handle, i): NameEntry[] => {
    if (!fds.some((fd) => fd === handle)) return [];
    const when = [
      ofKind('ioctl'),
      { field: 'dialect', value: BigInt(DIALECTS.indexOf(dialect)) },
      { field: 'handlekind', value: BigInt(i) },
    ];
    return [{ name, value: BigInt(number), when }];
  });
}

function wordEntries(): NameEntry[] {
  return Object.entries(OP_WORDS).flatMap(([kind, words]) =>
    words.map((name, i) => ({ name, value: BigInt(i), when: [ofKind(kind as EventKind)] })),
  );
}

function interceptEntries(): NameEntry[] {
  const when = [ofKind('intercept')];
  return messageTypes.all().map(({ name, value }) => ({ name, value: BigInt(value), when }));
}

/** The names of operations. Ioctls of `dialect` and words are offered; those of other dialects are read too. */
export function opNames(dialect: Dialect): FieldNames {
  let table: FieldNames | undefined;
  const build = (): FieldNames => {
    const rows = allIoctls();
    const own = rows.filter((row) => row.dialect === dialect).flatMap(ioctlEntries);
    const others = rows.filter((row) => row.dialect !== dialect).flatMap(ioctlEntries);
    return nameTable([...own, ...wordEntries(), ...interceptEntries()], others);
  };
  const built = (): FieldNames => {
    table ??= build();
    return table;
  };
  return {
    lookup(name) {
      const found = built().lookup(name);
      if (found.length > 0) return found;
      const [ioctl, message] = [built().lookup(`MSHV_${name}`), messageTypes.named(name)];
      return message === undefined ? ioctl : [...ioctl, ...built().lookup(message.name)];
    },
    get entries() {
      return built().entries;
    },
    get offered() {
      return built().offered;
    },
    form: 'an operation by name, or the number of an ioctl',
  };
}
