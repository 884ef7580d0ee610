import { collect, ok, type Result } from '../error.ts';
import { nearest } from '../near.ts';
import { allOf, anyOf, fieldTest, type Plan } from '../plan.ts';
import type { FieldNames, FieldSpec, Guard, NameEntry } from '../table.ts';
import type { Value } from '../tree.ts';
import { badValue, basics, expectedValues, type Meaning } from './meaning.ts';

/**
 * A field of numbers that may have names. `numberWhen` holds the guards of a plain number; undefined where the
 * field takes names only.
 */
export function numberMeaning(
  spec: FieldSpec,
  names: FieldNames | undefined,
  numberWhen: readonly Guard[] | undefined,
): Meaning {
  const entriesOf = (value: Value): Result<readonly NameEntry[]> => {
    if (value.kind === 'number' && numberWhen !== undefined) {
      return ok([{ name: '', value: value.value, when: numberWhen }]);
    }
    const isName = value.kind === 'name' || value.kind === 'string';
    if (!isName) return badValue(value, `${spec.name} takes no such value`, expectedValues(spec));
    const entries = names?.lookup(value.text) ?? [];
    if (entries.length > 0) return ok(entries);
    const near = nearest(value.text, names?.offered ?? []);
    const message = names === undefined ? `${spec.name} is a number` : `${spec.name} has no such value`;
    return badValue(value, message, near.length > 0 ? near : expectedValues(spec));
  };
  return {
    ...basics(spec),
    equal(values) {
      const entries = collect(values.map(entriesOf));
      return entries.ok ? ok(meansAny(spec.name, entries.value.flat())) : entries;
    },
    order(op, value) {
      if (spec.type === 'name') return badValue(value, `${spec.name} has no order`, ['==', '!=', '~', 'in']);
      const entries = entriesOf(value);
      if (!entries.ok) return entries;
      const [entry, ...others] = entries.value;
      if (entry === undefined || others.some((other) => other.value !== entry.value)) {
        return badValue(value, 'this name has several values', ['a number']);
      }
      const test = fieldTest(spec.name, { kind: 'order', op, value: entry.value });
      return ok(allOf([...(numberWhen ?? []).map(guard), test]));
    },
    match(pattern) {
      if (names === undefined) return undefined;
      return meansAny(
        spec.name,
        names.entries.filter((entry) => pattern.test(entry.name)),
      );
    },
  };
}

function guard({ field, value }: Guard): Plan {
  return fieldTest(field, { kind: 'among', values: [value] });
}

/** Any of `entries`: one test of the value for all that stand under the same guards. */
function meansAny(field: string, entries: readonly NameEntry[]): Plan {
  const groups = new Map<string, { readonly when: readonly Guard[]; readonly values: Set<bigint> }>();
  for (const { value, when } of entries) {
    const key = when.map((g) => `${g.field}=${g.value}`).join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { when, values: new Set([value]) });
    else group.values.add(value);
  }
  return anyOf(
    Array.from(groups.values(), ({ when, values }) =>
      allOf([...when.map(guard), fieldTest(field, { kind: 'among', values: Array.from(values) })]),
    ),
  );
}
