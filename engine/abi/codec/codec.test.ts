import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesNear, forEach, throughText } from '../abi.testing.ts';
import { fieldOf, readU32, readU64, writeField } from '../layout/field.ts';
import { structNames, structOf } from '../layout/structs.ts';
import { decode } from './decode.ts';
import type { DecodedStruct } from './decoded.ts';
import { encode } from './encode.ts';
import { fromObject } from './from-object.ts';
import { toObject } from './to-object.ts';

const runs = (size: number) => ({ numRuns: size > 300 ? 15 : 40 });
const name = (struct: string) => struct;

test('any bytes come back from the fields of any struct', () => {
  forEach(structNames(), name, (struct) => {
    const { size } = structOf(struct);
    const property = fc.property(bytesNear(size), (bytes) => {
      assert.deepEqual(encode(decode(struct, bytes)), bytes);
    });
    fc.assert(property, runs(size));
  });
});

test('any bytes come back from the event text of any struct', () => {
  forEach(structNames(), name, (struct) => {
    const layout = structOf(struct);
    const property = fc.property(bytesNear(layout.size), (bytes) => {
      const json = throughText(toObject(layout, bytes));
      assert.deepEqual(fromObject(layout, json), { ok: true, bytes }, JSON.stringify(json));
    });
    fc.assert(property, runs(layout.size));
  });
});

test('with a length known from elsewhere, any bytes of that and of any other length come back', () => {
  forEach(structNames(), name, (struct) => {
    const layout = structOf(struct);
    const property = fc.property(bytesNear(layout.size), fc.integer({ min: 0, max: 100 }), (bytes, other) => {
      for (const length of [bytes.length, other]) {
        const json = throughText(toObject(layout, bytes, { length }));
        assert.deepEqual(fromObject(layout, json, { length }), { ok: true, bytes }, JSON.stringify(json));
      }
    });
    fc.assert(property, { numRuns: layout.size > 300 ? 5 : 15 });
  });
});

interface Leaf {
  readonly path: string;
  readonly index: number;
  readonly value: number | bigint;
}

/** Integers of a decoded struct by the path that names them; of nested arrays only what one index can reach. */
function leaves(decoded: DecodedStruct, prefix = '', index = 0): Leaf[] {
  return decoded.fields.flatMap((field) => {
    const path = `${prefix}${field.name}`;
    const { value } = field;
    if (value.kind === 'integer') return [{ path, index, value: value.value }];
    // What a payload is depends on the type beside it: no path names its members.
    const { form } = decoded.layout;
    if ((form === 'message' || form === 'posted') && field.name === 'payload') return [];
    if (value.kind === 'struct') return leaves(value.struct, `${path}.`, index);
    if (value.kind !== 'array' || index > 0) return [];
    return value.elements.flatMap((element, i) => {
      if (element.value.kind === 'integer') return [{ path, index: i, value: element.value.value }];
      const nested = element.value.kind === 'struct' ? element.value.struct : undefined;
      const hasArray = nested?.fields.some(({ value: { kind } }) => kind === 'array' || kind === 'struct');
      return nested === undefined || hasArray === true ? [] : leaves(nested, `${path}.`, i);
    });
  });
}

test('field handles read what the decoder says, and write it back', () => {
  let compared = 0;
  forEach(structNames(), name, (struct) => {
    const { size } = structOf(struct);
    const property = fc.property(bytesNear(size), (bytes) => {
      const again = new Uint8Array(bytes.length);
      for (const { path, index, value } of leaves(decode(struct, bytes))) {
        if (path.includes('@')) continue;
        const field = fieldOf(struct, path);
        const read = typeof value === 'bigint' ? readU64(bytes, field, index) : readU32(bytes, field, index);
        assert.equal(read, value, path);
        writeField(again, field, value, index);
        assert.equal(readU64(again, field, index), BigInt(value), path);
        compared++;
      }
    });
    fc.assert(property, { numRuns: size > 300 ? 3 : 10 });
  });
  assert.ok(compared > 10_000, `${compared} compared`);
});
