import { collect, ok, type Result } from '../error.ts';
import { fieldTest } from '../plan.ts';
import type { FieldSpec } from '../table.ts';
import type { Value } from '../tree.ts';
import { badValue, basics, expectedValues, type Meaning } from './meaning.ts';

/** A field of nanoseconds. */
export function timeMeaning(spec: FieldSpec): Meaning {
  const read = (value: Value): Result<bigint> => {
    if (value.kind === 'time') return ok(BigInt(value.ns));
    if (value.kind === 'number' && value.value === 0n) return ok(0n);
    return badValue(value, `${spec.name} is a time`, expectedValues(spec));
  };
  return {
    ...basics(spec),
    equal(values) {
      const times = collect(values.map(read));
      return times.ok ? ok(fieldTest(spec.name, { kind: 'among', values: times.value })) : times;
    },
    order(op, value) {
      const time = read(value);
      return time.ok ? ok(fieldTest(spec.name, { kind: 'order', op, value: time.value })) : time;
    },
    match: () => undefined,
  };
}
