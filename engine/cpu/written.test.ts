/** Who keeps a copy of guest memory hears of each page before it is written, however that is done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestGuest, TestMemory } from './cpu.testing.ts';

/** Hears of pages and what stood at their first byte then. */
class HeardMemory extends TestMemory {
  readonly heard: [page: number, byte: number][] = [];

  written(page: number): void {
    this.heard.push([page, this.read(page * 0x1000, 1)[0] ?? 0]);
  }
}

function guest(program: string): { readonly run: () => [number, number][]; readonly guest: TestGuest } {
  const memory = new HeardMemory().map(0, 0x20000);
  const made = new TestGuest(memory).real(program);
  return {
    guest: made,
    run: () => {
      made.cpu.run(1000);
      return memory.heard.splice(0);
    },
  };
}

const pages = (heard: readonly [number, number][]): number[] => [...new Set(heard.map(([page]) => page))];

test('a page is heard of before its first write, and again when that is asked for', () => {
  // inc byte [1000h]; mov [3000h], al; hlt; inc byte [1000h]; hlt
  const { run, guest: made } = guest('fe060010 a20030 f4 fe060010 f4');
  const first = run();
  assert.deepEqual(pages(first), [1, 3]);
  assert.deepEqual(first[0], [1, 0]);
  made.cpu.forgetWrites();
  made.set('RIP', 0x7c08);
  assert.deepEqual(run()[0], [1, 1]);
});

test('strings, locked updates, the stack and what lies across two pages are heard of', () => {
  // mov cx, 8; mov di, 1ffch; rep stosb; lock inc byte [4000h]; push ax; mov [5fffh], ax; hlt
  const { run } = guest('b90800 bffc1f f3aa f0fe060040 50 a3ff5f f4');
  assert.deepEqual(
    pages(run()).sort((a, b) => a - b),
    [1, 2, 4, 5, 6],
  );
});

test('what is only read is not heard of, nor a write that cannot be', () => {
  const { run, guest: made } = guest('a00010 a20020 f4');
  const page = made.memory.pages.get(2);
  made.memory.pages.set(2, { bytes: page?.bytes ?? new Uint8Array(0), permissions: 1 });
  assert.deepEqual(run(), []);
});

test('accessed and dirty bits of page tables are writes too', () => {
  const { run, guest: made } = guest('a30030 f4');
  // One table of 32-bit paging at 11000h below a directory at 10000h: everything is where it is.
  for (let entry = 0; entry < 0x20; entry++)
    made.memory.write(0x11000 + 4 * entry, [7, (entry << 4) & 0xff, entry >> 4, 0]);
  made.memory.write(0x10000, [7, 0x10, 1, 0]);
  made.set('CR3', 0x10000);
  made.set('CR0', 0x80000011n);
  assert.deepEqual(
    pages(run()).sort((a, b) => a - b),
    [3, 0x10, 0x11],
  );
});
