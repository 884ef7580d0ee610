/** Access rights, call gates, tasks and virtual-8086 mode (Intel SDM 3, chapters 5, 8 and 22). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reg, segmentValue, TestGuest } from './cpu.testing.ts';

const GDT = 0x9000;
const IDT = 0xa000;
const TSS = 0xb000;
const OTHER = 0xb200;
const HANDLERS = 0xc000;
const LANDING = 0xd000;
/** Selectors. */
const [CODE, DATA, USER_CODE, USER_DATA, MAIN, SECOND, GATE, TASK_GATE] = [
  ...[0x08, 0x10, 0x1b, 0x23, 0x28, 0x30, 0x38, 0x40],
] as [number, number, number, number, number, number, number, number];

/** Flat protected mode with levels 0 and 3, two tasks, and handlers that halt: vectors from 30h on are everybody's. */
class GateGuest extends TestGuest {
  constructor() {
    super();
    this.#descriptor(CODE, 0, 0xfffff, 0xc09b);
    this.#descriptor(DATA, 0, 0xfffff, 0xc093);
    this.#descriptor(USER_CODE, 0, 0xfffff, 0xc0fb);
    this.#descriptor(USER_DATA, 0, 0xfffff, 0xc0f3);
    this.#descriptor(MAIN, TSS, 0x88, 0x8b);
    this.#descriptor(SECOND, OTHER, 0x67, 0x89);
    this.gate(GDT + GATE, CODE, LANDING, 0xec, 2);
    this.gate(GDT + TASK_GATE, SECOND, 0, 0xe5);
    for (let vector = 0; vector < 0x40; vector += 1)
      this.gate(IDT + 8 * vector, CODE, HANDLERS + vector, vector < 0x30 ? 0x8e : 0xee);
    this.memory.write(HANDLERS, new Uint8Array(0x40).fill(0xf4));
    this.memory.write(LANDING, new Uint8Array(0x40).fill(0xf4));
    this.words(TSS + 4, 0x5000, DATA);
  }

  #descriptor(selector: number, base: number, limit: number, attributes: number): void {
    const high = ((attributes & 0xf0ff) << 8) | (limit & 0xf0000) | (base >>> 16);
    this.words(GDT + (selector & 0xfff8), (limit & 0xffff) | (base << 16), high);
  }

  gate(at: number, selector: number, offset: number, access: number, count = 0): void {
    this.words(at, (selector << 16) | (offset & 0xffff), (access << 8) | count);
  }

  words(at: number, ...values: readonly number[]): void {
    values.forEach((value, n) => {
      this.memory.write(at + 4 * n, new Uint8Array(Uint32Array.of(value).buffer));
    });
  }

  /** `count` words from `at` on. */
  list(at: number, count: number): number[] {
    return Array.from({ length: count }, (_, n) => this.memory.u32(at + 4 * n));
  }

  start(program: string, level: 0 | 3 = 0): this {
    this.flat(program);
    this.set('GDTR', (BigInt(GDT) << 64n) | (0x7fn << 48n));
    this.set('IDTR', (BigInt(IDT) << 64n) | (0x1ffn << 48n));
    this.set('TR', segmentValue(MAIN, TSS, 0x88, 0x8b));
    if (level === 3) {
      this.set('CS', segmentValue(USER_CODE, 0, 0xffffffff, 0xc0fb));
      for (const name of ['DS', 'ES', 'SS', 'FS', 'GS'])
        this.set(name, segmentValue(USER_DATA, 0, 0xffffffff, 0xc0f3));
    }
    return this;
  }

  /** The selector in a segment register. */
  selector(name: string): number {
    return Number((this.value(name) >> 96n) & 0xffffn);
  }

  value(name: string): bigint {
    return this.cpu.getRegister(reg(name));
  }

  halted(): number {
    assert.equal(this.run().kind, 'halt');
    return this.get('RIP');
  }
}

describe('access rights', () => {
  test('LAR, LSL, VERR and VERW answer by ZF', () => {
    const guest = new GateGuest().start(`
      b8 10 00 00 00 0f 02 d8   ; mov eax, 10h; lar ebx, eax
      0f 03 c8                  ; lsl ecx, eax
      0f 00 e8 0f 94 c2         ; verw ax; setz dl
      b8 08 00 00 00 0f 00 e8   ; mov eax, 8; verw ax
      0f 94 c6                  ; setz dh
      0f 00 e0 74 01 cc f4      ; verr ax; jz over int3; hlt
    `);
    guest.halted();
    assert.deepEqual([guest.get('RBX'), guest.get('RCX')], [0xc09300, 0xffffffff]);
    assert.equal(guest.get('RDX') & 0xffff, 0x0001);
    // Level 0's data is nothing for level 3; nor is a selector that is no descriptor's.
    const user = new GateGuest().start(
      'b8 13 00 00 00 0f 02 d8 0f 94 c1 b8 fb 00 00 00 0f 03 d8 0f 94 c5 cd 30',
      3,
    );
    user.set('RBX', 7);
    user.set('RCX', 0xffff);
    assert.equal(user.halted(), HANDLERS + 0x30);
    assert.deepEqual([user.get('RBX'), user.get('RCX')], [7, 0]);
  });

  test('ARPL raises the level of a selector, LAR in real mode is no instruction', () => {
    const guest = new GateGuest().start('63 d8 0f 94 c1 63 d8 0f 94 c5 f4'); // arpl ax, bx; setz; arpl; setz
    guest.set('RAX', 0x10);
    guest.set('RBX', 3);
    guest.halted();
    assert.deepEqual([guest.get('RAX'), guest.get('RCX')], [0x13, 1]);
    const real = new TestGuest().real('0f 02 d8');
    real.memory.write(6 * 4, [0, 5, 0, 0]);
    real.memory.write(0x500, [0xf4]);
    assert.equal(real.run().kind, 'halt');
    assert.equal(real.get('RIP'), 0x500);
  });
});

describe('call gates', () => {
  test('to an inner level: its stack, the old one, parameters, and back', () => {
    const guest = new GateGuest().start('68 11 00 00 00 68 22 00 00 00 9a 00 00 00 00 3b 00 cd 30', 3);
    guest.memory.write(LANDING, [0xca, 8, 0]); // retf 8
    assert.equal(guest.run(3).kind, 'budget');
    assert.deepEqual([guest.get('RIP'), guest.get('RSP')], [LANDING, 0x5000 - 24]);
    assert.deepEqual(guest.list(0x5000 - 24, 6), [0x8011, USER_CODE, 0x22, 0x11, 0x7000 - 8, USER_DATA]);
    assert.deepEqual([guest.selector('CS'), guest.selector('SS')], [CODE, DATA]);
    assert.equal(guest.halted(), HANDLERS + 0x30);
    assert.equal(guest.memory.u32(0x5000 - 8), 0x7000);
  });

  test('JMP goes to no inner level, and a gate has a level of its own', () => {
    const jump = new GateGuest().start('ea 00 00 00 00 3b 00', 3);
    assert.equal(jump.halted(), HANDLERS + 13);
    assert.equal(jump.memory.u32(jump.get('RSP')), CODE);
    const closed = new GateGuest();
    closed.gate(GDT + GATE, CODE, LANDING, 0x8c);
    assert.equal(closed.start('9a 00 00 00 00 3b 00', 3).halted(), HANDLERS + 13);
    assert.equal(closed.memory.u32(closed.get('RSP')), GATE);
  });
});

/** A task that begins at LANDING with EAX 1234h, at level 0. */
function withTask(guest: GateGuest, flags = 2): GateGuest {
  guest.words(OTHER + 0x20, LANDING, flags, 0x1234, 0, 0, 0, 0x6000, 0, 0, 0);
  guest.words(OTHER + 0x48, DATA, CODE, DATA, DATA, 0, 0, 0);
  return guest;
}

describe('tasks', () => {
  test('CALL keeps the old task and links it; IRET goes back', () => {
    const guest = withTask(new GateGuest()).start('40 9a 00 00 00 00 30 00 40 f4'); // inc; call task; inc; hlt
    guest.memory.write(LANDING, [0x40, 0xcf, 0x43, 0xf4]); // inc eax; iret; inc ebx; hlt
    assert.equal(guest.run(2).kind, 'budget');
    assert.deepEqual([guest.get('RAX'), guest.get('RSP'), guest.selector('TR')], [0x1234, 0x6000, SECOND]);
    assert.equal(guest.get('RFLAGS') & 0x4000, 0x4000);
    assert.equal(guest.get('CR0') & 8, 8);
    assert.equal(guest.memory.u32(OTHER) & 0xffff, MAIN);
    assert.deepEqual(guest.list(TSS + 0x20, 3), [0x8008, 2, 1]);
    assert.equal(guest.halted(), 0x8009);
    assert.deepEqual([guest.get('RAX'), guest.get('RBX'), guest.selector('TR')], [2, 0, MAIN]);
    // The other one goes on behind its IRET.
    assert.deepEqual(guest.list(OTHER + 0x20, 3), [LANDING + 2, 6, 0x1235]);
    assert.equal(guest.memory.read(GDT + SECOND + 5, 1)[0], 0x89);
  });

  test('a busy task is refused; JMP through a gate leaves the old one free', () => {
    assert.equal(new GateGuest().start('ea 00 00 00 00 28 00').halted(), HANDLERS + 13);
    const guest = withTask(new GateGuest()).start('ea 00 00 00 00 40 00');
    assert.equal(guest.halted(), LANDING);
    assert.deepEqual(
      [...guest.memory.read(GDT + MAIN + 5, 1), ...guest.memory.read(GDT + SECOND + 5, 1)],
      [0x89, 0x8b],
    );
    assert.equal(guest.get('RFLAGS') & 0x4000, 0);
  });

  test('an exception through a task gate pushes its error code there', () => {
    const guest = withTask(new GateGuest());
    guest.gate(IDT + 13 * 8, SECOND, 0, 0xe5);
    guest.start('b8 78 00 00 00 8e d8'); // mov eax, 78h; mov ds, ax
    assert.equal(guest.halted(), LANDING);
    assert.equal(guest.memory.u32(0x6000 - 4), 0x78);
    assert.equal(guest.memory.u32(TSS + 0x20), 0x8005);
  });

  test('what is wrong with a segment of the new task is raised in it', () => {
    const guest = withTask(new GateGuest());
    guest.words(OTHER + 0x54, 0x78); // ds
    guest.start('ea 00 00 00 00 30 00');
    assert.equal(guest.halted(), HANDLERS + 10);
    assert.deepEqual(guest.list(guest.get('RSP'), 3), [0x78, LANDING, CODE]);
    assert.equal(guest.selector('TR'), SECOND);
  });

  test('the trap bit of a task stops it before its first instruction', () => {
    const guest = withTask(new GateGuest());
    guest.words(OTHER + 0x64, 1);
    guest.start('ea 00 00 00 00 30 00');
    assert.equal(guest.halted(), HANDLERS + 1);
    assert.equal(guest.memory.u32(guest.get('RSP')), LANDING);
    assert.equal(guest.get('DR6') & 0x8000, 0x8000);
  });
});

describe('virtual-8086 mode', () => {
  const VM = 0x20000;
  /** IRET to `program` at 800:0. */
  function virtual(program: string, flags: number): GateGuest {
    const guest = new GateGuest().start('cf');
    guest.words(0x7000 - 36, 0, 0x800, flags | VM | 2, 0x600, 0x700, 0x111, 0x222, 0x333, 0x444);
    guest.set('RSP', 0x7000 - 36);
    guest.run(1);
    guest.memory.write(
      0x8000,
      Uint8Array.from(program.split(' '), (byte) => Number.parseInt(byte, 16)),
    );
    return guest;
  }

  test('segments are paragraphs; INT goes to level 0 with all of them on its stack', () => {
    const guest = virtual('b8 00 09 8e d8 cd 30', 0x3000); // mov ax, 900h; mov ds, ax; int 30h
    assert.deepEqual([guest.selector('CS'), guest.get('RSP'), guest.get('RFLAGS')], [0x800, 0x600, 0x23002]);
    assert.equal(guest.halted(), HANDLERS + 0x30);
    const frame = [7, 0x800, 0x23002, 0x600, 0x700, 0x111, 0x900, 0x333, 0x444];
    assert.deepEqual(guest.list(0x5000 - 36, 9), frame);
    assert.deepEqual([guest.selector('DS'), guest.get('RFLAGS') & VM], [0, 0]);
  });

  test('what has to do with the interrupt flag needs IOPL 3, and protected mode is not there', () => {
    for (const [program, vector] of [
      ['cd 30', 13],
      ['9c', 13],
      ['9d', 13],
      ['cf', 13],
      ['fa', 13],
      ['f4', 13],
      ['0f 00 d8', 6],
      ['0f 02 d8', 6],
      ['63 d8', 6],
    ] as const)
      assert.equal(virtual(program, 0).halted(), HANDLERS + vector, program);
  });

  test('ports are open where the bitmap of the task says so, whatever IOPL is', () => {
    for (const [port, open] of [
      [0x20, true],
      [0x21, false],
    ] as const) {
      const guest = virtual(`e4 ${port.toString(16)}`, 0x3000);
      guest.words(TSS + 0x64, 0x68 << 16);
      guest.words(TSS + 0x6c, 2);
      const exit = guest.run();
      if (open) assert.ok(exit.kind === 'io' && exit.port === port);
      else assert.equal(guest.get('RIP'), HANDLERS + 13);
    }
  });
});

test('a fault pushes RF, a trap does not', () => {
  const fault = new GateGuest().start('0f 0b');
  fault.halted();
  assert.equal(fault.memory.u32(fault.get('RSP') + 8), 0x10002);
  const trap = new GateGuest().start('cc');
  trap.halted();
  assert.equal(trap.memory.u32(trap.get('RSP') + 8), 2);
});
