/** A small field table and random filters over it, for the tests of this folder. */
import fc from 'fast-check';
import { timeNs } from '../trace/position.ts';
import { type FieldTable, nameTable, ordinalNames } from './table.ts';
import { COMPARE_OPS, join, type Tree, type Value } from './tree.ts';
import type { FieldValue, NamedNumber } from './value.ts';

const when = (field: string, value: bigint) => [{ field, value }];

/** Kinds 0 to 2; `op` means something else in each; `id` is unsigned; `sub` is hidden. */
export const TABLE: FieldTable = {
  fields: [
    { name: 'seq', type: 'position', subField: 'sub', bare: 'nonzero', doc: 'number' },
    { name: 'sub', type: 'number', bare: 'nonzero', doc: 'derived', hidden: true },
    { name: 't', type: 'time', bare: 'nonzero', doc: 'time' },
    {
      name: 'kind',
      type: 'name',
      names: ordinalNames(['ioctl', 'msr', 'message']),
      bare: 'present',
      doc: '',
    },
    {
      name: 'op',
      type: 'number',
      bare: 'present',
      doc: 'operation',
      numberWhen: when('kind', 0n),
      names: nameTable(
        [
          { name: 'RUN', value: 2n, when: when('kind', 0n) },
          { name: 'MAP', value: 3n, when: when('kind', 0n) },
          { name: 'MAP', value: 1n, when: when('kind', 0n) },
          { name: 'read', value: 0n, when: when('kind', 1n) },
          { name: 'write', value: 1n, when: when('kind', 1n) },
          { name: 'read', value: 2n, when: when('kind', 2n) },
        ],
        [{ name: 'OLD_RUN', value: 2n, when: when('kind', 0n) }],
      ),
    },
    { name: 'ret', type: 'number', bare: 'nonzero', doc: 'result' },
    { name: 'id', type: 'number', bare: 'nonzero', doc: 'unsigned', unsigned64: true },
    {
      name: 'who',
      type: 'text',
      bare: 'present',
      doc: 'word',
      text: { read: (word) => word, offered: ['vmbus', 'mshv'], form: 'a word' },
    },
    { name: 'pid', type: 'number', bare: 'nonzero', doc: 'number held in another table' },
    {
      name: 'rule',
      type: 'text',
      bare: 'present',
      doc: 'in no column',
      text: { read: (word) => word, offered: ['R01'], form: 'a word' },
    },
  ],
  state: true,
  paths: ['cpu[*].synic.simp', 'cpu[*].synic.siefp'],
};

/** An event of these tests; `member` is what every path into its payload leads to. */
export interface Row {
  readonly seq: number;
  readonly t: number;
  readonly kind: number;
  readonly op: bigint | undefined;
  readonly ret: bigint | undefined;
  readonly id: bigint | undefined;
  readonly who: string | undefined;
  readonly pid: number | undefined;
  readonly rule: string | undefined;
  readonly member: FieldValue | undefined;
}

export const WORDS = ['vmbus', 'mshv', 'Timer', 'a_b', ''];
const EDGES = [0n, 1n, 2n, 3n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n, 1n << 64n, -1n, -(1n << 63n)];
const edge = fc.constantFrom(...EDGES, -(1n << 63n) - 1n, 1n << 80n);
const within = (low: bigint, high: bigint) => fc.constantFrom(...EDGES.filter((v) => v >= low && v <= high));

/** A number with these names and no others. */
export function named(value: bigint, ...names: string[]): NamedNumber {
  return { value, names, called: (name) => names.includes(name) };
}
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

export const row: fc.Arbitrary<Row> = fc.record({
  seq: fc.integer({ min: 1, max: 20 }),
  t: fc.integer({ min: 0, max: 5 }),
  kind: fc.integer({ min: 0, max: 2 }),
  op: maybe(within(0n, 3n)),
  ret: maybe(within(-(1n << 63n), (1n << 63n) - 1n)),
  id: maybe(within(0n, (1n << 64n) - 1n)),
  who: maybe(fc.constantFrom(...WORDS)),
  pid: maybe(fc.integer({ min: 0, max: 3 })),
  rule: maybe(fc.constantFrom('R01', 'R02')),
  member: maybe(fc.oneof(fc.constantFrom<FieldValue>('x', 3n, named(1n, 'ON'), [1n, 'y']))),
});

const number = edge.map((value): Value => ({ kind: 'number', value, hex: false, column: 0 }));
const word = (...words: string[]) =>
  fc.constantFrom(...words).map((text): Value => ({ kind: 'name', text, column: 0 }));
const quoted = fc.string().map((text): Value => ({ kind: 'string', text, column: 0 }));
const time = fc.integer({ min: 0, max: 6 }).map((n): Value => ({ kind: 'time', ns: timeNs(n), column: 0 }));
const position = fc.oneof(
  word('3r', '4.1', '5.2'),
  fc.bigInt(0n, 21n).map((value): Value => ({ kind: 'number', value, hex: false, column: 0 })),
);

const VALUES: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  seq: position,
  t: time,
  kind: word('ioctl', 'msr', 'message'),
  op: fc.oneof(word('RUN', 'MAP', 'read', 'write', 'OLD_RUN'), number),
  ret: number,
  id: number,
  who: fc.oneof(word('vmbus', 'mshv', 'Timer'), quoted),
  pid: number,
  rule: word('R01', 'R02'),
  'arg.x': fc.oneof(word('ON', 'x', 'y'), number, quoted),
};
const ORDERED = new Set(['seq', 't', 'ret', 'id', 'pid']);
const SEARCHED = new Set(['kind', 'op', 'who', 'rule', 'arg.x']);
const patterns = word('R', 'read$', '^m', 'M.P', 's|v', '[a-m]s').map(
  (value): Value => ({ ...value, kind: 'string' }) as Value,
);

const comparison: fc.Arbitrary<Tree> = fc.constantFrom(...Object.keys(VALUES)).chain((name) => {
  const field = { name, column: 0 };
  const value = VALUES[name] as fc.Arbitrary<Value>;
  const ops = COMPARE_OPS.filter((op) => {
    if (op === '~') return SEARCHED.has(name);
    return op === '==' || op === '!=' || ORDERED.has(name);
  });
  return fc.oneof(
    { arbitrary: fc.constant<Tree>({ kind: 'bare', field }), weight: 1 },
    {
      arbitrary: fc
        .constantFrom(...ops)
        .chain((op) =>
          (op === '~' ? patterns : value).map((v): Tree => ({ kind: 'compare', field, op, value: v })),
        ),
      weight: 5,
    },
    {
      arbitrary: fc
        .array(value, { minLength: 1, maxLength: 12 })
        .map((values): Tree => ({ kind: 'in', field, values })),
      weight: 2,
    },
  );
});

const causal: fc.Arbitrary<Tree> = fc.constantFrom<Tree>(
  { kind: 'changes', path: 'cpu[*].synic.sint[0x2]', column: 0 },
  { kind: 'under', position: { seq: timeNs(7) as never, sub: 0 } },
);

/** Random filters that pass the check against {@link TABLE}; columns are 0. */
export const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    comparison,
    causal,
    tie('tree').map((term): Tree => ({ kind: 'not', term })),
    fc.array(tie('tree'), { minLength: 2, maxLength: 4 }).map((terms) => join('and', terms)),
    fc.array(tie('tree'), { minLength: 2, maxLength: 4 }).map((terms) => join('or', terms)),
  ),
})).tree;

/** The tree with every column 0, for comparison. */
export function withoutColumns(node: Tree): Tree {
  return JSON.parse(
    JSON.stringify(node, (key, value) => {
      if (key === 'column') return 0;
      return typeof value === 'bigint' ? `${value}n` : value;
    }),
  );
}
