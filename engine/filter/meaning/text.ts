import { collect, ok, type Result } from '../error.ts';
import { fieldTest } from '../plan.ts';
import type { FieldSpec, TextForm } from '../table.ts';
import type { Value } from '../tree.ts';
import { badValue, basics, expectedValues, type Meaning } from './meaning.ts';

/** A field of words. */
export function textMeaning(spec: FieldSpec, form: TextForm): Meaning {
  const read = (value: Value): Result<string> => {
    const text = value.kind === 'name' || value.kind === 'string' ? form.read(value.text) : undefined;
    return text === undefined
      ? badValue(value, `${spec.name} takes no such value`, expectedValues(spec))
      : ok(text);
  };
  return {
    ...basics(spec),
    equal(values) {
      const words = collect(values.map(read));
      return words.ok ? ok(fieldTest(spec.name, { kind: 'words', words: words.value })) : words;
    },
    order: (_op, value) => badValue(value, `${spec.name} has no order`, ['==', '!=', '~', 'in']),
    match: (pattern) => fieldTest(spec.name, { kind: 'match', pattern }),
  };
}
