/** The tables of the ABI against the public header as a compiler reads it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  allIoctls,
  findConstant,
  findStruct,
  STRUCT_SUBJECTS,
  structsOfSubject,
} from '../../engine/abi/index.ts';
import { type Header, programOf } from './program.ts';

const header = JSON.parse(readFileSync(join(import.meta.dirname, 'mshv.json'), 'utf8')) as Header;
const OURS = STRUCT_SUBJECTS.filter(({ name }) => name === 'mshv-upstream' || name === 'mshv-vtl');

describe(`linux/mshv.h of linux-libc-dev ${header.version}`, () => {
  for (const [name, { size, fields }] of Object.entries(header.structs)) {
    it(`struct ${name}: ${size} bytes, ${Object.keys(fields).length} members`, () => {
      const layout = findStruct(name);
      assert.ok(layout !== undefined, 'no such struct in the tables');
      assert.equal(layout.size, size);
      const own = layout.fields.filter(({ alternative }) => !alternative);
      assert.deepEqual(Object.fromEntries(own.map((field) => [field.name, field.offset])), fields);
    });
  }

  it('has every struct that the tables take from it', () => {
    const named = OURS.flatMap(structsOfSubject);
    assert.deepEqual([...named].sort(), Object.keys(header.structs).sort());
  });

  it('has the ioctls of the tables, with their numbers', () => {
    const rows = allIoctls().filter(({ dialect }) => dialect === 'upstream' || dialect === 'vtl');
    assert.deepEqual(new Set(rows.map(({ name }) => name)), new Set(Object.keys(header.ioctls)));
    for (const { name, number } of rows) assert.equal(number, header.ioctls[name], name);
  });

  it('has the constants of the tables, with their values', () => {
    const unknown = Object.keys(header.constants).filter((name) => findConstant(name) === undefined);
    assert.deepEqual(unknown, []);
    for (const [name, value] of Object.entries(header.constants)) {
      // The header numbers the bits of a flag word, the tables have the words.
      const own = name.includes('_BIT_') ? 1n << BigInt(value) : BigInt(value);
      assert.equal(findConstant(name), own, name);
    }
  });
});

it('the program asks for every member and constant of a header', () => {
  const numbers = `
/* #define MSHV_NOT 1 */
#define MSHV_IOCTL 0xB8
enum {
	MSHV_BIT_A, /* MSHV_NOT */
	MSHV_BIT_B,
};
#define MSHV_X _IOW(MSHV_IOCTL, 1, struct mshv_x)
`;
  const structs = `
struct other { int x; };
struct mshv_x
{
 __u8 first[3];
 __u64 second;
} __attribute__((packed));
`;
  const program = programOf(numbers, structs);
  for (const asked of [
    'sizeof(struct mshv_x)',
    'offsetof(struct mshv_x, first)',
    'offsetof(struct mshv_x, second)',
  ])
    assert.ok(program.includes(asked), asked);
  for (const asked of ['(MSHV_BIT_A)', '(MSHV_BIT_B)', '(MSHV_X)']) assert.ok(program.includes(asked));
  assert.ok(!program.includes('MSHV_NOT') && !program.includes('other'));
});
