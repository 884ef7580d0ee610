/** Translation of addresses: what the tables allow, what a fault says, what is remembered. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, TestGuest } from './cpu.testing.ts';
import { PAGE_BYTES } from './index.ts';

const TOP = 0x10000;
const TABLE = 0x11000;
const POINTERS = 0x12000;
const IDT = 0xa000;
const GDT = 0x9000;
const TSS = 0xc000;
const HANDLER = 0xb000;

const le = (value: bigint | number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, n) => Number((BigInt(value) >> BigInt(8 * n)) & 0xffn));

type Kind = 'legacy' | 'pae';

/** 32-bit code at 0x8000 of a page table that maps the first 2 MiB to themselves for everybody. #PF and #GP end in HLT. */
class PagedGuest extends TestGuest {
  readonly kind: Kind;

  constructor(kind: Kind, program: string, level: 0 | 3 = 0) {
    super();
    this.kind = kind;
    this.flat(program);
    for (let page = 0; page < 0x20; page += 1) this.entry(page, page * 0x1000, 7);
    this.memory.write(TOP, le(TABLE | 7, kind === 'pae' ? 8 : 4));
    if (kind === 'pae') this.memory.write(POINTERS, le(TOP | 1, 8));
    const code = level === 0 ? '9b' : 'fb';
    const data = level === 0 ? '93' : 'f3';
    this.memory.write(
      GDT + 8,
      bytesOf(
        `ffff0000009bcf00 ffff00000093cf00 ffff000000${code}cf00 ffff000000${data}cf00 670000c0008b0000`,
      ),
    );
    this.memory.write(TSS + 4, bytesOf('00 50 00 00 10 00 00 00'));
    for (const vector of [13, 14]) this.memory.write(IDT + vector * 8, le(0x8e0000080000n | 0xb000n, 8));
    this.memory.write(HANDLER, [0xf4]);
    this.set('GDTR', (BigInt(GDT) << 64n) | (0x2fn << 48n));
    this.set('IDTR', (BigInt(IDT) << 64n) | (0x1ffn << 48n));
    this.set('TR', BigInt(TSS) | (0x67n << 64n) | (0x28n << 96n) | (0x8bn << 112n));
    const flat = (selector: bigint, attributes: bigint): bigint =>
      (0xffffffffn << 64n) | (selector << 96n) | (attributes << 112n);
    if (level === 3) {
      this.set('CS', flat(0x1bn, 0xc0fbn));
      for (const name of ['DS', 'ES', 'SS']) this.set(name, flat(0x23n, 0xc0f3n));
    }
    this.set('CR3', kind === 'pae' ? POINTERS : TOP);
    this.set('CR4', kind === 'pae' ? 0x30 : 0x10);
    this.set('CR0', 0x80010011n);
  }

  entry(page: number, gpa: number, bits: number | bigint): void {
    const size = this.kind === 'pae' ? 8 : 4;
    this.memory.write(TABLE + page * size, le(BigInt(gpa) | BigInt(bits), size));
  }

  bits(page: number): number {
    return this.memory.u32(TABLE + page * (this.kind === 'pae' ? 8 : 4)) & 0xfff;
  }

  /** Error code of the fault that ended the program, undefined where there was none; CR2 is checked by the tests. */
  fault(): number | undefined {
    assert.equal(this.run().kind, 'halt');
    return this.get('RIP') === HANDLER + 1 || this.get('RIP') === HANDLER
      ? this.memory.u32(this.get('RSP'))
      : undefined;
  }
}

const READ_PAGE_1D = 'a1 10 d0 01 00 f4'; // mov eax, [0x1d010]; hlt
const WRITE_PAGE_1D = 'a3 10 d0 01 00 f4'; // mov [0x1d010], eax; hlt

for (const kind of ['legacy', 'pae'] as const)
  describe(`paging, ${kind}`, () => {
    test('another page is read, and its entry and the directory are marked accessed', () => {
      const guest = new PagedGuest(kind, READ_PAGE_1D);
      guest.entry(0x1d, 0x1e000, 7);
      guest.memory.write(0x1e010, le(0x12345678, 4));
      assert.equal(guest.fault(), undefined);
      assert.equal(guest.get('RAX'), 0x12345678);
      assert.equal(guest.bits(0x1d), 0x27);
      assert.equal(guest.memory.u32(TOP) & 0xfff, 0x27);
      assert.equal(guest.bits(0x1c), 7);
    });

    test('a write marks it dirty, also after a read', () => {
      const guest = new PagedGuest(kind, `a1 10 d0 01 00 ${WRITE_PAGE_1D}`);
      assert.equal(guest.fault(), undefined);
      assert.equal(guest.bits(0x1d), 0x67);
    });

    test('an entry that another VP takes away meanwhile stays away', () => {
      const guest = new PagedGuest(kind, READ_PAGE_1D);
      let heard = 0;
      Object.assign(guest.memory, {
        // It hears of the table before its entry is marked: of the directory's first.
        written: (page: number) => {
          if (page === TABLE / PAGE_BYTES && guest.bits(0x1d) === 7 && guest.bits(8) !== 7) {
            guest.entry(0x1d, 0, 0);
            heard += 1;
          }
        },
      });
      assert.equal(guest.fault(), 0);
      assert.deepEqual([heard, guest.bits(0x1d), guest.get('CR2')], [1, 0, 0x1d010]);
    });

    for (const [name, level, program, entry, cr0, cr4, efer, error] of [
      ['read of what is not there', 0, READ_PAGE_1D, 6n, 0x80010011n, 0, 0, 0],
      ['write of what is not there', 0, WRITE_PAGE_1D, 6n, 0x80010011n, 0, 0, 2],
      ['read at level 3', 3, READ_PAGE_1D, 6n, 0x80010011n, 0, 0, 4],
      ['read of a page of the kernel', 3, READ_PAGE_1D, 3n, 0x80010011n, 0, 0, 5],
      ['write of a read-only page', 3, WRITE_PAGE_1D, 5n, 0x80000011n, 0, 0, 7],
      ['write of a read-only page by the kernel', 0, WRITE_PAGE_1D, 1n, 0x80010011n, 0, 0, 3],
      ['the same without WP', 0, WRITE_PAGE_1D, 1n, 0x80000011n, 0, 0, undefined],
      ['SMAP', 0, READ_PAGE_1D, 7n, 0x80010011n, 0x200000, 0, 1],
      ['SMAP and STAC', 0, `0f 01 cb ${READ_PAGE_1D}`, 7n, 0x80010011n, 0x200000, 0, undefined],
      ['SMAP after CLAC', 0, `0f01cb a110d00100 0f01ca ${READ_PAGE_1D}`, 7n, 0x80010011n, 0x200000, 0, 1],
    ] as const)
      test(name, () => {
        const guest = new PagedGuest(kind, program, level);
        // With SMAP the pages that the processor and the code use are the kernel's.
        if ((cr4 & 0x200000) !== 0)
          for (let page = 0; page < 0x20; page += 1) guest.entry(page, page * 0x1000, 3);
        guest.entry(0x1d, 0x1d000, entry);
        guest.set('CR4', BigInt(cr4) | (kind === 'pae' ? 0x30n : 0x10n));
        guest.set('EFER', efer);
        guest.set('CR0', cr0);
        if (level === 3 && error === undefined) assert.fail('HLT is not for level 3');
        assert.equal(guest.fault(), error);
        if (error !== undefined) assert.equal(guest.get('CR2'), 0x1d010);
      });

    test('SMEP: the kernel does not run pages of its users', () => {
      const guest = new PagedGuest(kind, 'e9 fb 4f 01 00'); // jmp 0x1d000
      for (let page = 0; page < 0x20; page += 1) guest.entry(page, page * 0x1000, 3);
      guest.entry(0x1d, 0x1d000, 7);
      guest.set('CR4', kind === 'pae' ? 0x100030 : 0x100010);
      assert.equal(guest.fault(), 0x11);
      assert.equal(guest.get('CR2'), 0x1d000);
    });

    test('what is remembered is used until INVLPG', () => {
      const size = kind === 'pae' ? 8 : 4;
      const at = le(TABLE + 0x1d * size, 4)
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join(' ');
      // mov eax, [0x1d010]; mov dword [entry], 0x1e007; mov ebx, [0x1d010]; invlpg [0x1d010]; mov ecx, [0x1d010]; hlt
      const guest = new PagedGuest(
        kind,
        `a1 10d00100 c705 ${at} 07e00100 8b1d 10d00100 0f013d 10d00100 8b0d 10d00100 f4`,
      );
      guest.memory.write(0x1d010, [1]);
      guest.memory.write(0x1e010, [2]);
      assert.equal(guest.fault(), undefined);
      assert.deepEqual([guest.get('RAX'), guest.get('RBX'), guest.get('RCX')], [1, 1, 2]);
    });

    test('a large page, with its address in bits of its own', () => {
      const guest = new PagedGuest(kind, 'a1 10 00 40 c0 f4'); // mov eax, [0xc0400010]
      guest.memory.map(0x400000, 0x1000).write(0x400010, [9]);
      if (kind === 'pae') {
        guest.memory.write(POINTERS + 24, le(0x13001, 8));
        guest.memory.write(0x13000 + 2 * 8, le(0x4000e3, 8));
      } else guest.memory.write(TOP + 0x301 * 4, le(0x4000e3, 4));
      assert.equal(guest.fault(), undefined);
      assert.equal(guest.get('RAX'), 9);
    });

    test('a write over a border faults before it changes anything', () => {
      const guest = new PagedGuest(kind, 'b8 ff ff ff ff a3 fe cf 01 00 f4'); // mov [0x1cffe], eax
      guest.entry(0x1d, 0, 0);
      assert.equal(guest.fault(), 2);
      assert.equal(guest.get('CR2'), 0x1d000);
      assert.equal(guest.memory.u32(0x1cffc), 0);
    });
  });

describe('paging, only with PAE', () => {
  test('pages without the right to execute, and a reserved bit where that right does not exist', () => {
    for (const [efer, error] of [
      [0x800, 0x11],
      [0, 9],
    ] as const) {
      const guest = new PagedGuest('pae', 'e9 fb 4f 01 00'); // jmp 0x1d000
      guest.entry(0x1d, 0x1d000, 0x8000000000000007n);
      guest.set('EFER', efer);
      assert.equal(guest.fault(), error);
    }
  });

  test('a table that memory does not answer is an exit', () => {
    const guest = new PagedGuest('pae', READ_PAGE_1D);
    guest.memory.write(POINTERS, le(0x5000001, 8));
    const exit = guest.run();
    assert.ok(exit.kind === 'memory');
    assert.deepEqual([exit.gpa, exit.gva, exit.access], [0x5000000, 0x8000, 'read']);
  });
});

test('a fault during a page fault is a double fault, one during that a shutdown', () => {
  const guest = new PagedGuest('legacy', READ_PAGE_1D);
  guest.entry(0x1d, 0, 0);
  guest.entry(0xa, 0, 0);
  assert.equal(guest.run().kind, 'shutdown');
});
