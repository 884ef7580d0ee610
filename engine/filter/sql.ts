import { allOf, type Leaf, type OrderOp, type Plan, type Test } from './plan.ts';
import { compileTest, type FieldValue } from './value.ts';

/** Integers are always given as bigint, so that SQLite gets an integer and no rounded REAL. */
export type SqlParam = bigint | string;

/**
 * How a table holds a field. All expressions are written by the store, never by a user.
 * - `integer`: `sql` is a signed 64-bit integer, NULL where the event lacks the field; it counts only where
 *   `when` holds, so that one column can serve several kinds of events. Unsigned fields stand as bit patterns.
 * - `interned`: `sql` is the row number of a table of values (actors, handles, names); `select` gives the row
 *   numbers whose value passes. The values then need no SQL of their own, and `~` works too.
 * - `constant`: every row has this value.
 */
export type Column =
  | { readonly by: 'integer'; readonly sql: string; readonly when?: string; readonly unsigned64?: boolean }
  | {
      readonly by: 'interned';
      readonly sql: string;
      readonly select: (passes: (value: FieldValue | undefined) => boolean) => readonly number[];
    }
  | { readonly by: 'constant'; readonly value: FieldValue | undefined };

/** Columns by field name; what has none is left to the predicate. */
export type Columns = ReadonlyMap<string, Column>;

/**
 * `where` holds for every row that the filter holds for. Where `exact`, for no other; else the rows that it lets
 * through have to pass `residual` too.
 */
export interface Sql {
  readonly where: string;
  readonly params: readonly SqlParam[];
  readonly exact: boolean;
  readonly residual: Plan | null;
}

const MAX_I64 = (1n << 63n) - 1n;
const MIN_I64 = -(1n << 63n);
const MAX_U64 = (1n << 64n) - 1n;

/** Above this, a list goes in as one JSON parameter: SQLite takes a limited number of parameters. */
const MAX_LISTED = 8;

/** Compiles a plan to a condition over the rows of a table. */
export function toSql(plan: Plan, columns: Columns): Sql {
  const { condition, residual } = compile(plan, columns);
  const { sql, params } = condition;
  return { where: sql, params, exact: residual === null, residual };
}

interface Condition {
  readonly sql: string;
  readonly params: readonly SqlParam[];
}

interface Compiled {
  readonly condition: Condition;
  readonly residual: Plan | null;
}

const TRUE: Condition = { sql: '1', params: [] };
const FALSE: Condition = { sql: '0', params: [] };

function exact(condition: Condition): Compiled {
  return { condition, residual: null };
}

function compile(plan: Plan, columns: Columns): Compiled {
  switch (plan.kind) {
    case 'always':
      return exact(plan.value ? TRUE : FALSE);
    case 'and': {
      const terms = plan.terms.map((term) => compile(term, columns));
      const left = terms.flatMap(({ residual }) => residual ?? []);
      return {
        condition: join(
          'AND',
          terms.map((term) => term.condition),
        ),
        residual: left.length === 0 ? null : allOf(left),
      };
    }
    case 'or': {
      const terms = plan.terms.map((term) => compile(term, columns));
      return {
        condition: join(
          'OR',
          terms.map((term) => term.condition),
        ),
        residual: terms.every(({ residual }) => residual === null) ? null : plan,
      };
    }
    default:
      return compileLeaf(plan, columns);
  }
}

/** Joined two by two, because SQLite limits the depth of an expression (1000), which a chain would reach. */
function join(op: 'AND' | 'OR', conditions: readonly Condition[]): Condition {
  const [neutral, absorbing] = op === 'AND' ? [TRUE, FALSE] : [FALSE, TRUE];
  if (conditions.some(({ sql }) => sql === absorbing.sql)) return absorbing;
  const rest = conditions.filter(({ sql }) => sql !== neutral.sql);
  const [first] = rest;
  if (first === undefined) return neutral;
  if (rest.length === 1) return first;
  const middle = rest.length >> 1;
  const [left, right] = [join(op, rest.slice(0, middle)), join(op, rest.slice(middle))];
  return { sql: `(${left.sql} ${op} ${right.sql})`, params: [...left.params, ...right.params] };
}

function compileLeaf(leaf: Leaf, columns: Columns): Compiled {
  if (leaf.kind === 'under' && !leaf.negated) {
    // An effect is never before its cause, which spares reading what is.
    const seq = columns.get('seq');
    const after = { kind: 'order', op: '>=', value: BigInt(leaf.position.seq) } as const;
    const condition = seq?.by === 'integer' ? integerTest(seq, after) : TRUE;
    return { condition, residual: leaf };
  }
  const column = leaf.kind === 'field' ? columns.get(leaf.field) : undefined;
  if (leaf.kind !== 'field' || column === undefined) return { condition: TRUE, residual: leaf };
  const condition = columnTest(column, leaf.test);
  if (condition === undefined) return { condition: TRUE, residual: leaf };
  return exact(leaf.negated ? not(condition) : condition);
}

/** A comparison with a missing field is NULL in SQL; its negation holds, as everywhere in a filter. */
function not(condition: Condition): Condition {
  if (condition.sql === TRUE.sql) return FALSE;
  if (condition.sql === FALSE.sql) return TRUE;
  return { sql: `((${condition.sql}) IS NOT TRUE)`, params: condition.params };
}

/** Undefined where the column cannot answer. */
function columnTest(column: Column, test: Test): Condition | undefined {
  switch (column.by) {
    case 'constant':
      return compileTest(test)(column.value) ? TRUE : FALSE;
    case 'interned': {
      const rows = column.select(compileTest(test));
      return rows.length === 0 ? FALSE : among(column.sql, rows.map(BigInt));
    }
    case 'integer':
      if (test.kind === 'words' || test.kind === 'match') return undefined;
      return integerTest(column, test);
  }
}

type IntegerColumn = Column & { readonly by: 'integer' };
type NumberTest = Exclude<Test, { readonly kind: 'words' | 'match' }>;

function integerTest(column: IntegerColumn, test: NumberTest): Condition {
  const plain = plainTest(column, test);
  if (column.when === undefined || plain.sql === FALSE.sql) return plain;
  return { sql: `(${column.when} AND ${plain.sql})`, params: plain.params };
}

function plainTest({ sql, unsigned64 = false }: IntegerColumn, test: NumberTest): Condition {
  switch (test.kind) {
    case 'present':
      return { sql: `${sql} IS NOT NULL`, params: [] };
    case 'nonzero':
      return { sql: `${sql} <> 0`, params: [] };
    case 'among': {
      const [low, high] = unsigned64 ? [0n, MAX_U64] : [MIN_I64, MAX_I64];
      const held = test.values.filter((value) => value >= low && value <= high);
      const stored = held.map((value) => BigInt.asIntN(64, value));
      return stored.length === 0 ? FALSE : among(sql, stored);
    }
    case 'order':
      return unsigned64 ? unsignedOrder(sql, test.op, test.value) : signedOrder(sql, test.op, test.value);
  }
}

function among(sql: string, values: readonly bigint[]): Condition {
  if (values.length === 1) return { sql: `${sql} = ?`, params: values };
  if (values.length <= MAX_LISTED) {
    return { sql: `${sql} IN (${values.map(() => '?').join(', ')})`, params: values };
  }
  return { sql: `${sql} IN (SELECT value FROM json_each(?))`, params: [`[${values.join(',')}]`] };
}

function signedOrder(sql: string, op: OrderOp, than: bigint): Condition {
  const down = op === '<' || op === '<=';
  if (than > MAX_I64) return down ? { sql: `${sql} IS NOT NULL`, params: [] } : FALSE;
  if (than < MIN_I64) return down ? FALSE : { sql: `${sql} IS NOT NULL`, params: [] };
  return { sql: `${sql} ${op} ?`, params: [than] };
}

/** As bit patterns, the values from 2^63 on are the negative ones, and above all others. */
function unsignedOrder(sql: string, op: OrderOp, than: bigint): Condition {
  const down = op === '<' || op === '<=';
  if (than > MAX_U64 || than < 0n) return signedOrder(sql, op, than < 0n ? MIN_I64 - 1n : MAX_I64 + 1n);
  const compared = { sql: `${sql} ${op} ?`, params: [BigInt.asIntN(64, than)] };
  const [upper, lower] = [
    { sql: `${sql} < 0`, params: [] },
    { sql: `${sql} >= 0`, params: [] },
  ];
  if (than > MAX_I64) return down ? join('OR', [lower, compared]) : join('AND', [upper, compared]);
  return down ? join('AND', [lower, compared]) : join('OR', [upper, compared]);
}
