import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TestMemory } from '../../cpu/cpu.testing.ts';
import { Machine, PAGE_FAULT } from '../../cpu/machine.ts';
import { type PageAccess, physicalAddress } from '../../cpu/paging.ts';
import { walkPages } from './page-walk.ts';

const TABLES = 8;
const PAGE_BYTES = 4096;

/** An entry that mostly leads to one of the few tables, with rights, sizes and reserved bits that vary. */
const entry = fc
  .record({
    table: fc.nat({ max: TABLES - 1 }),
    low: fc.constantFrom(7, 7, 7, 3, 5, 1, 6, 0x87, 0x83, 0x1087, 0x2087, 0x20_0087),
    high: fc.constantFrom(0, 0, 0, 0, 0x8000_0000, 0x10_0000, 0x1),
  })
  .map(({ table, low, high }) => ({ low: ((table << 12) | low) >>> 0, high }));

const MODES = ['32-bit', 'PAE', '4-level'] as const;

const guest = fc.record({
  mode: fc.constantFrom(...MODES),
  entries: fc.array(entry, { minLength: 64, maxLength: 64 }),
  pse: fc.boolean(),
  nx: fc.boolean(),
  writeProtect: fc.boolean(),
  smep: fc.boolean(),
  smap: fc.boolean(),
  user: fc.boolean(),
  access: fc.constantFrom<PageAccess>('read', 'write', 'execute'),
  page: fc.array(fc.nat({ max: 3 }), { minLength: 4, maxLength: 4 }),
});

/** Tables of a guest that lead to each other, each with entries for the indexes 0 to 3. */
function memoryOf(mode: (typeof MODES)[number], entries: readonly { low: number; high: number }[]) {
  const memory = new TestMemory().map(0, TABLES * PAGE_BYTES);
  for (let table = 0; table < TABLES; table++) {
    const { bytes } = memory.page(table) ?? assert.fail();
    const view = new DataView(bytes.buffer);
    for (let index = 0; index < 4; index++) {
      const { low, high } = entries[table * 4 + index] ?? assert.fail();
      if (mode === '32-bit') view.setUint32(index * 4, low, true);
      else {
        // A pointer of PAE has no rights.
        const isPointer = mode === 'PAE' && table === 0;
        view.setUint32(index * 8, isPointer ? low & 0xffff_f001 : low, true);
        view.setUint32(index * 8 + 4, isPointer ? 0 : high, true);
      }
    }
  }
  return memory;
}

describe('a walk through page tables', () => {
  it('ends where the guest processor’s own does', () => {
    fc.assert(
      fc.property(guest, ({ mode, entries, page: indexes, access, ...given }) => {
        const memory = memoryOf(mode, entries);
        const [a = 0, b = 0, c = 0, d = 0] = indexes;
        const page =
          mode === '32-bit'
            ? (c << 10) | d
            : mode === 'PAE'
              ? (b << 18) | (c << 9) | d
              : a * 2 ** 27 + ((b << 18) | (c << 9) | d);
        const machine = new Machine(memory);
        machine.cr0 = 0x8000_0001 | (given.writeProtect ? 0x1_0000 : 0) | 0;
        machine.cr3 = 0;
        machine.cr4 =
          (given.pse ? 0x10 : 0) |
          (mode === '32-bit' ? 0 : 0x20) |
          (given.smep ? 0x10_0000 : 0) |
          (given.smap ? 0x20_0000 : 0);
        machine.longMode = mode === '4-level';
        machine.efer = (given.nx ? 0x800 : 0) | (mode === '4-level' ? 0x500 : 0);
        machine.user = given.user;
        const registers = {
          ...{ cr0: BigInt(machine.cr0 >>> 0), cr3: 0n },
          ...{ cr4: BigInt(machine.cr4), efer: BigInt(machine.efer), addressBits: 40 },
        };
        const read = (gpa: bigint) => {
          const shown = memory.page(Math.floor(Number(gpa) / PAGE_BYTES));
          return shown === undefined
            ? undefined
            : new DataView(shown.bytes.buffer).getBigUint64(Number(gpa) % PAGE_BYTES, true);
        };
        const walked = walkPages(read, registers, BigInt(page), {
          write: access === 'write',
          execute: access === 'execute',
          user: given.user,
          smap: given.smap,
        });
        let expected: string;
        try {
          expected = `frame ${Math.floor(physicalAddress(machine, page * PAGE_BYTES, access) / PAGE_BYTES)}`;
        } catch {
          const { pendingAccess, faultVector, faultError: error = 0 } = machine;
          assert.ok(pendingAccess !== undefined || faultVector === PAGE_FAULT);
          expected =
            pendingAccess !== undefined
              ? 'needs'
              : (error & 8) !== 0
                ? 'flags'
                : (error & 1) !== 0
                  ? 'privilege'
                  : 'not-present';
        }
        const got =
          'frame' in walked ? `frame ${walked.frame}` : 'failed' in walked ? walked.failed : 'needs';
        assert.equal(got, expected);
      }),
      { numRuns: 3000 },
    );
  });
});
