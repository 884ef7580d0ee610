/**
 * Declares what state exists. A kind of object (a CPU, a partition, a VP …) is a shape of named cells and
 * groups; the store, paths, the state tree and the decoded display all come from these declarations.
 */

/** How a cell's value is meant to be read; the print side (`decoded`, views) goes by it. */
export type CellHint =
  | { readonly as: 'hex' | 'dec' | 'bool' | 'time' | 'gpa' | 'pfn' | 'bytes' | 'partition' }
  /** Decoded with the bit fields of this MSR. */
  | { readonly as: 'msr'; readonly msr: number }
  /** One of `names`, by index. */
  | { readonly as: 'enum'; readonly names: readonly string[] }
  /** Bit i is `names[i]`. */
  | { readonly as: 'flags'; readonly names: readonly string[] };

export interface CellSpec {
  readonly spec: 'cell';
  readonly hint: CellHint;
  readonly reset: bigint;
}

/** `count` cells under one name, `sint[0]` … */
export interface CellArraySpec {
  readonly spec: 'cells';
  readonly count: number;
  /** Hint of the element `index` (a SINT register has its own MSR number). */
  readonly hintOf: (index: number) => CellHint;
  readonly reset: bigint;
}

/** `count` groups under one name, `timer[0].config` … */
export interface GroupArraySpec<S extends Shape = Shape> {
  readonly spec: 'groups';
  readonly count: number;
  readonly shapeOf: (index: number) => S;
}

export interface Shape {
  readonly [name: string]: CellSpec | CellArraySpec | GroupArraySpec | Shape;
}

/** Slot numbers of a shape: a number for a cell, the first slot and stride for arrays, an object for a group. */
export type Slots<S> = {
  readonly [K in keyof S]: S[K] extends CellSpec
    ? number
    : S[K] extends CellArraySpec
      ? { readonly first: number; readonly count: number }
      : S[K] extends GroupArraySpec<infer G>
        ? {
            readonly first: number;
            readonly stride: number;
            readonly count: number;
            readonly slots: Slots<G>;
          }
        : Slots<S[K]>;
};

export interface SlotInfo {
  /** Path below the object: `synic.sint[2]`; empty for the one cell of a single-cell kind. */
  readonly path: string;
  readonly hint: CellHint;
  readonly reset: bigint;
}

/** A kind of object: where it may stand, how its key is printed, which cells it has. */
export interface ObjectKind<S extends Shape = Shape> {
  readonly name: string;
  readonly parent: ObjectKind | undefined;
  readonly key: 'decimal' | 'hex' | 'none';
  readonly slots: Slots<S>;
  /** Slot 0 is the object's existence (1 while it exists); a kind's own cells start at 1. */
  readonly info: readonly SlotInfo[];
  /** Reset value of each slot in two words of 32 bits, the low one first. */
  readonly resets: Uint32Array;
  /** Slots whose reset value is not 0. */
  readonly resetSlots: readonly number[];
}

/** One cell. */
export function cell(hint: CellHint | CellHint['as'] = 'hex', reset = 0n): CellSpec {
  return { spec: 'cell', hint: typeof hint === 'string' ? plainHint(hint) : hint, reset };
}

/** `count` cells that share a name and a reset value. */
export function cells(count: number, hintOf: (index: number) => CellHint, reset = 0n): CellArraySpec {
  return { spec: 'cells', count, hintOf, reset };
}

/** `count` groups of one shape. */
export function groups<S extends Shape>(count: number, shapeOf: (index: number) => S): GroupArraySpec<S> {
  return { spec: 'groups', count, shapeOf };
}

/** A kind whose only cell is the object itself: `cpu[0].msr[0x40000073]`. */
export function singleCellKind(
  name: string,
  parent: ObjectKind | undefined,
  key: ObjectKind['key'],
  hint: CellHint | CellHint['as'] = 'hex',
): ObjectKind<{ readonly value: CellSpec }> {
  const shape = { value: cell(hint) };
  const kind = objectKind(name, parent, key, shape);
  return { ...kind, info: kind.info.map((slot) => (slot.path === 'value' ? { ...slot, path: '' } : slot)) };
}

/** Declares a kind of object. Kinds are compared by identity and numbered by the store that uses them. */
export function objectKind<S extends Shape>(
  name: string,
  parent: ObjectKind | undefined,
  key: ObjectKind['key'],
  shape: S,
): ObjectKind<S> {
  const info: SlotInfo[] = [{ path: '', hint: { as: 'bool' }, reset: 0n }];
  const slots = place(shape, '', info, 0) as Slots<S>;
  const resets = new Uint32Array(BigUint64Array.from(info, ({ reset }) => reset).buffer);
  const resetSlots = [...info.keys()].filter((slot) => info[slot]?.reset !== 0n);
  return { name, parent, key, slots, info, resets, resetSlots };
}

function plainHint(as: CellHint['as']): CellHint {
  if (as === 'msr' || as === 'enum' || as === 'flags') throw new TypeError(`hint ${as} needs its table`);
  return { as };
}

function isSpec(member: Shape[string]): member is CellSpec | CellArraySpec | GroupArraySpec {
  return typeof (member as { spec?: unknown }).spec === 'string';
}

/** Appends the slots of a shape to `info` and returns their numbers, counted from `base`. */
function place(shape: Shape, prefix: string, info: SlotInfo[], base: number): unknown {
  const slots: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(shape)) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (!isSpec(member)) {
      slots[name] = place(member, path, info, base);
    } else if (member.spec === 'cell') {
      slots[name] = info.push({ path, hint: member.hint, reset: member.reset }) - 1 - base;
    } else if (member.spec === 'cells') {
      slots[name] = { first: info.length - base, count: member.count };
      for (let i = 0; i < member.count; i++) {
        info.push({ path: `${path}[${i}]`, hint: member.hintOf(i), reset: member.reset });
      }
    } else {
      const first = info.length;
      const element = place(member.shapeOf(0), `${path}[0]`, info, first);
      const stride = info.length - first;
      for (let i = 1; i < member.count; i++) place(member.shapeOf(i), `${path}[${i}]`, info, first);
      slots[name] = { first: first - base, stride, count: member.count, slots: element };
    }
  }
  return slots;
}
