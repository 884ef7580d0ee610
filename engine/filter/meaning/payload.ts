import { type FilterError, fail, ok, type Result } from '../error.ts';
import { nearest } from '../near.ts';
import { anyOf, type Plan, type Test } from '../plan.ts';
import type { PayloadNames, PayloadRoot, PayloadStep } from '../table.ts';
import type { FieldRef, Value } from '../tree.ts';
import { badValue, type Meaning } from './meaning.ts';

/**
 * A member of a decoded payload. Which structure it is in depends on the event, so its values are numbers and
 * words as they come: a word is compared with the text, or with the names of the number.
 */
export function payloadMeaning(root: PayloadRoot, path: readonly PayloadStep[]): Meaning {
  const test = (how: Test): Plan => ({ kind: 'payload', root, path, test: how, negated: false });
  const form = ['a number', 'a name', '"text"'];
  return {
    present: test({ kind: 'present' }),
    bare: test({ kind: 'nonzero' }),
    equal(values) {
      const time = values.find((value) => value.kind === 'time');
      if (time !== undefined) return badValue(time, 'payloads hold no times', form);
      const numbers = values.flatMap((value) => (value.kind === 'number' ? [value.value] : []));
      const words = values.flatMap((value) =>
        value.kind === 'name' || value.kind === 'string' ? [value.text] : [],
      );
      return ok(
        anyOf([
          ...(numbers.length > 0 ? [test({ kind: 'among', values: numbers })] : []),
          ...(words.length > 0 ? [test({ kind: 'words', words })] : []),
        ]),
      );
    },
    order: (op, value: Value) =>
      value.kind === 'number'
        ? ok(test({ kind: 'order', op, value: value.value }))
        : badValue(value, 'only numbers have an order', ['a number']),
    match: (pattern) => test({ kind: 'match', pattern }),
  };
}

/** Every member on the path must occur somewhere below the root, so that a typing error is not silence. */
export function checkMembers(
  field: FieldRef,
  root: PayloadRoot,
  path: readonly PayloadStep[],
  names: PayloadNames,
): Result<undefined> | { readonly ok: false; readonly error: FilterError } {
  const members = names.members(root);
  const known = new Set(members);
  const unknown = path.find((step) => typeof step === 'string' && step !== '*' && !known.has(step));
  if (unknown === undefined) return ok(undefined);
  const near = nearest(String(unknown), members);
  return fail(field.column, field.name, `no payload under '${root}' has a member '${unknown}'`, near);
}
