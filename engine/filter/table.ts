/** Declares what a filter may speak of: fields, their types, and the names that their values have. */

/** A further condition under which a named number means that name: `MSHV_RUN_VP` only on a VP's handle. */
export interface Guard {
  readonly field: string;
  readonly value: bigint;
}

/** One meaning of a name. A name with several entries means any of them. */
export interface NameEntry {
  readonly name: string;
  readonly value: bigint;
  readonly when: readonly Guard[];
}

/** The names of a field's values. */
export interface FieldNames {
  /** All meanings of a name, aliases included; empty when it is not known. */
  readonly lookup: (name: string) => readonly NameEntry[];
  /** Every name that `~` looks through, aliases included. */
  readonly entries: readonly NameEntry[];
  /** The names to offer, canonical ones only, in an order worth showing. */
  readonly offered: readonly string[];
  /** What else may stand there, for errors: `a VP such as 2.0`. */
  readonly form?: string;
}

/** Text values that are open words (components) or have a form of their own (handles). */
export interface TextForm {
  /** The text as events have it, undefined when it is none. */
  readonly read: (word: string) => string | undefined;
  readonly offered: readonly string[];
  readonly form: string;
}

export interface FieldBase {
  readonly name: string;
  /** What it reads, in one line. */
  readonly doc: string;
  /** A field on its own is true when its value is not zero, or (where zero says nothing) when it is there. */
  readonly bare: 'nonzero' | 'present';
  /** Used by guards and positions only; a filter cannot name it. */
  readonly hidden?: boolean;
  /** Values reach from 0 to 2^64 - 1; in a column of signed 64-bit integers they stand as their bit pattern. */
  readonly unsigned64?: boolean;
}

export type FieldSpec = FieldBase &
  (
    | {
        readonly type: 'number';
        readonly names?: FieldNames;
        /** What a plain number means beside its value: a number as `op` is an ioctl's. */
        readonly numberWhen?: readonly Guard[];
      }
    /** A number that is only ever written as a name. */
    | { readonly type: 'name'; readonly names: FieldNames }
    /** Nanoseconds. */
    | { readonly type: 'time' }
    /** An event's address: this field is the number, `subField` what stands behind its dot. */
    | { readonly type: 'position'; readonly subField: string }
    | { readonly type: 'text'; readonly text: TextForm }
  );

export const PAYLOAD_ROOTS = ['arg', 'in', 'out', 'input', 'output', 'payload'] as const;
export type PayloadRoot = (typeof PAYLOAD_ROOTS)[number];

/** One step into a decoded payload: a member, an element, or any element. */
export type PayloadStep = string | number | '*';

/** What is known of decoded payloads: without it, any member is believed. */
export interface PayloadNames {
  /** Member names that occur anywhere below a root. */
  readonly members: (root: PayloadRoot) => readonly string[];
  /** Names of values worth offering for a member. */
  readonly values: (root: PayloadRoot, path: readonly PayloadStep[]) => readonly string[];
}

export interface FieldTable {
  readonly fields: readonly FieldSpec[];
  readonly payload?: PayloadNames;
  /** Whether `changes( )` can be answered: there is a replay beside the events. */
  readonly state: boolean;
  /** Cell paths to offer inside `changes( )`. */
  readonly paths: readonly string[];
}

export function fieldNamed(table: FieldTable, name: string): FieldSpec | undefined {
  return table.fields.find((field) => field.name === name);
}

/** Names of the fields that a filter may use. */
export function offeredFields(table: FieldTable): string[] {
  return table.fields.filter((field) => field.hidden !== true).map((field) => field.name);
}

/** A table of fixed names; `aliases` are read and searched but not offered. */
export function nameTable(
  entries: readonly NameEntry[],
  aliases: readonly NameEntry[] = [],
  form?: string,
): FieldNames {
  const all = [...entries, ...aliases];
  const byName = new Map<string, NameEntry[]>();
  for (const entry of all) {
    const meanings = byName.get(entry.name);
    if (meanings === undefined) byName.set(entry.name, [entry]);
    else meanings.push(entry);
  }
  const table = {
    lookup: (name: string) => byName.get(name) ?? [],
    entries: all,
    offered: Array.from(new Set(entries.map((entry) => entry.name))),
  };
  return form === undefined ? table : { ...table, form };
}

/** A table of names for 0, 1, 2, … */
export function ordinalNames(names: readonly string[]): FieldNames {
  return nameTable(names.map((name, i) => ({ name, value: BigInt(i), when: [] })));
}

const ROOT = /^(arg|in|out|input|output|payload)(?=[.[])/;

/** Splits `input.elements[0].name` at its root; undefined when it does not start with one. */
export function payloadField(name: string): { root: PayloadRoot; path: readonly PayloadStep[] } | undefined {
  const root = ROOT.exec(name)?.[1] as PayloadRoot | undefined;
  if (root === undefined) return undefined;
  const path: PayloadStep[] = [];
  for (const match of name.slice(root.length).matchAll(/\.([A-Za-z0-9_]+)|\[([0-9]+|\*)\]/g)) {
    const [, member, index = ''] = match;
    if (member !== undefined) path.push(member);
    else path.push(index === '*' ? '*' : Number(index));
  }
  return { root, path };
}
