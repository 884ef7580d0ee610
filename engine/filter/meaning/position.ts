import { type Address, parseAddress } from '../../trace/position.ts';
import { collect, ok, type Result } from '../error.ts';
import { allOf, anyOf, fieldTest, type OrderOp, type Plan } from '../plan.ts';
import type { FieldSpec } from '../table.ts';
import type { Value } from '../tree.ts';
import { badValue, basics, expectedValues, type Meaning } from './meaning.ts';

/** A field that, with `subField`, is an event's address. */
export function positionMeaning(spec: FieldSpec, subField: string): Meaning {
  const read = (value: Value): Result<Address> => {
    const text = value.kind === 'number' && !value.hex ? String(value.value) : undefined;
    const address = parseAddress(value.kind === 'name' ? value.text : (text ?? ''));
    return address === undefined
      ? badValue(value, `${spec.name} is a position`, expectedValues(spec))
      : ok(address);
  };
  const seqIs = (op: OrderOp, value: number): Plan =>
    fieldTest(spec.name, { kind: 'order', op, value: BigInt(value) });
  const subIs = (op: OrderOp, value: number): Plan =>
    fieldTest(subField, { kind: 'order', op, value: BigInt(value) });
  return {
    ...basics(spec),
    equal(values) {
      const addresses = collect(values.map(read));
      if (!addresses.ok) return addresses;
      const bySub = Map.groupBy(addresses.value, (address) => address.sub);
      return ok(
        anyOf(
          Array.from(bySub, ([sub, group]) =>
            allOf([
              fieldTest(spec.name, { kind: 'among', values: group.map((address) => BigInt(address.seq)) }),
              fieldTest(subField, { kind: 'among', values: [BigInt(sub)] }),
            ]),
          ),
        ),
      );
    },
    order(op, value) {
      const address = read(value);
      if (!address.ok) return address;
      const { seq, sub } = address.value;
      // Bounded by `seq` first, so that a table of recorded events alone (sub is always 0) is read by its key.
      const down = op === '<' || op === '<=';
      const inside = anyOf([seqIs(down ? '<' : '>', seq), subIs(op, sub)]);
      return ok(allOf([seqIs(down ? '<=' : '>=', seq), inside]));
    },
    match: () => undefined,
  };
}
