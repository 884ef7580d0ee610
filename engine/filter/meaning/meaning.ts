import { type FilterError, fail, type Result } from '../error.ts';
import type { Pattern } from '../pattern.ts';
import { fieldTest, type OrderOp, type Plan } from '../plan.ts';
import { printValue } from '../print.ts';
import type { FieldSpec } from '../table.ts';
import type { Value } from '../tree.ts';

/** What comparisons with a field come down to. */
export interface Meaning {
  readonly present: Plan;
  readonly bare: Plan;
  /** The field has one of `values`. */
  equal(values: readonly Value[]): Result<Plan>;
  order(op: OrderOp, value: Value): Result<Plan>;
  /** Undefined where the field is no text and its values have no names. */
  match(pattern: Pattern): Plan | undefined;
}

/** The error for a value that cannot stand beside a field. */
export function badValue(
  value: Value,
  message: string,
  expected: readonly string[],
): { readonly ok: false; readonly error: FilterError } {
  return fail(value.column, value.kind === 'string' ? value.text : printValue(value), message, expected);
}

/** Words and descriptions of what may stand beside a field. */
export function expectedValues(spec: FieldSpec): string[] {
  switch (spec.type) {
    case 'time':
      return ['a time such as 5ms'];
    case 'position':
      return ['a position such as 812, 812.3 or 812r'];
    case 'text':
      return [spec.text.form, ...spec.text.offered];
    case 'name':
      return [...spec.names.offered];
    case 'number':
      return [spec.names?.form ?? 'a number', ...(spec.names?.offered ?? [])];
  }
}

/** What all fields have in common. */
export function basics(spec: FieldSpec): { readonly present: Plan; readonly bare: Plan } {
  return {
    present: fieldTest(spec.name, { kind: 'present' }),
    bare: fieldTest(spec.name, { kind: spec.bare }),
  };
}
