import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { structNames, structOf } from '../layout/structs.ts';
import { hypercallInputLayout } from './hypercall.ts';
import { mayHaveReservedSet, reservedBits, setReserved } from './reserved.ts';

const set = (struct: string, bytes: readonly number[]) =>
  setReserved(structOf(struct), Uint8Array.from(bytes)).map(({ path }) => path);
/** So many bytes, with ones at some offsets. */
const withOnes = (length: number, ...offsets: readonly number[]) =>
  Array.from({ length }, (_, at) => (offsets.includes(at) ? 0xff : 0));

test('where no bit is set that may be reserved, none is, whatever the struct and its bytes', () => {
  const structs = structNames();
  const some = fc.record({
    struct: fc.constantFrom(...structs),
    bytes: fc.uint8Array({ maxLength: 400 }),
    sparse: fc.boolean(),
  });
  let found = 0;
  fc.assert(
    fc.property(some, ({ struct, bytes, sparse }) => {
      const layout = structOf(struct);
      const given = sparse ? bytes.map((byte, at) => (at % 7 === 0 ? byte : 0)) : bytes;
      const members = setReserved(layout, given);
      found += members.length;
      if (members.length > 0) assert.ok(mayHaveReservedSet(reservedBits(layout), given), struct);
    }),
    { numRuns: 2000 },
  );
  assert.ok(found > 100);
});

test('members, bits, members of members, and elements of a list', () => {
  assert.deepEqual(set('hv_input_post_message', withOnes(16, 0, 4)), ['reserved']);
  assert.deepEqual(set('hv_input_withdraw_memory', withOnes(16, 13)), [
    'proximity_domain_info.flags.reserved',
  ]);
  const registers = hypercallInputLayout(0x51);
  assert.ok(registers !== undefined);
  const second = setReserved(registers, Uint8Array.from(withOnes(16 + 64, 16 + 32 + 8)));
  assert.deepEqual(second, [{ path: 'elements[1].reserved2', offset: 56, size: 8, full: false }]);
});

test('of members that share bytes only the one that stands for them counts', () => {
  // An event port has its flags where a doorbell port has reserved bytes.
  const port = (type: number) => set('hv_port_info', [type, ...withOnes(23, 15)]);
  assert.deepEqual(port(2), []);
  assert.deepEqual(port(4), ['doorbell_port_info.rsvdz']);
});

test('all ones are told apart', () => {
  const xsave = (bytes: readonly number[]) =>
    setReserved(structOf('hv_partition_processor_xsave_features'), Uint8Array.from(bytes)).map(
      ({ full }) => full,
    );
  assert.deepEqual(xsave([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), [true]);
  assert.deepEqual(xsave([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), [false]);
});

test('a buffer that ends early', () => {
  assert.deepEqual(set('hv_input_post_message', withOnes(5, 4)), ['reserved']);
  assert.deepEqual(set('hv_input_post_message', withOnes(3, 2)), []);
});
