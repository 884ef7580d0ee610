/** Exits: what they carry, and that the instruction had no effect yet. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { registers } from '../abi/index.ts';
import { bytesOf, TestGuest, TestMemory } from './cpu.testing.ts';
import { type CpuExit, READ } from './index.ts';
import { LongGuest } from './long-mode.testing.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function exitOf<K extends CpuExit['kind']>(guest: TestGuest, kind: K): Extract<CpuExit, { kind: K }> {
  const exit = guest.run();
  assert.equal(exit.kind, kind);
  return exit as Extract<CpuExit, { kind: K }>;
}

/** Every register that the processor has. */
function state(guest: TestGuest): bigint[] {
  const names = [
    'RIP',
    'RFLAGS',
    'CR0',
    'CR2',
    'GDTR',
    'IDTR',
    'LDTR',
    'TR',
    'ES',
    'CS',
    'SS',
    'DS',
    'FS',
    'GS',
  ];
  const general = Array.from({ length: 16 }, (_, r) => guest.cpu.getRegister(0x20000 + r));
  return [
    ...general,
    ...names.map((name) => guest.cpu.getRegister(registers.number(`HV_X64_REGISTER_${name}`))),
  ];
}

describe('ports', () => {
  test('OUT carries the value, IN waits for one', () => {
    const guest = new TestGuest().flat(`
      b8 78 56 34 12    ; mov eax, 0x12345678
      ba f8 03 00 00    ; mov edx, 0x3f8
      ef                ; 800a out dx, eax
      66 e5 40          ; 800b in ax, 0x40
      f4
    `);
    const out = exitOf(guest, 'io');
    assert.deepEqual(
      [out.port, out.size, out.direction, out.value, out.string],
      [0x3f8, 4, 'out', 0x12345678, false],
    );
    assert.equal(guest.get('RIP'), 0x800a);
    assert.equal(hex(out.instructionBytes).slice(0, 8), 'ef66e540');
    assert.equal(exitOf(guest, 'io').direction, 'out', 'not completed: the same exit again');
    guest.cpu.skip(out);
    const input = exitOf(guest, 'io');
    assert.deepEqual([input.port, input.size, input.direction, input.instructionLength], [0x40, 2, 'in', 3]);
    guest.set('RAX', 0xabcd);
    guest.cpu.skip(input);
    assert.equal(exitOf(guest, 'halt').instructionLength, 1);
  });

  test('REP OUTS says how many; with a count of 0 there is no exit', () => {
    const guest = new TestGuest().flat('ba 60 00 00 00  64 f3 6e  f4'); // mov edx, 0x60; rep outsb fs:; hlt
    guest.set('RCX', 9);
    const exit = exitOf(guest, 'io');
    assert.deepEqual([exit.string, exit.rep, exit.count, exit.segment, exit.size], [true, true, 9, 4, 1]);
    guest.set('RCX', 0);
    assert.equal(guest.run().kind, 'halt');
  });
});

describe('memory', () => {
  const GAP = 0x50000;

  test('a store to nothing carries its value and the instruction', () => {
    const guest = new TestGuest().flat('c7 05 04 00 05 00 ef be ad de f4');
    const exit = exitOf(guest, 'memory');
    assert.deepEqual(
      [exit.gpa, exit.gva, exit.size, exit.access, exit.value, exit.mapped, exit.instructionLength],
      [GAP + 4, GAP + 4, 4, 'write', 0xdeadbeefn, false, 10],
    );
    assert.equal(hex(exit.instructionBytes).slice(0, 22), 'c70504000500efbeaddef4');
    assert.equal(exit.instructionBytes.length, 15);
  });

  test('execution where nothing is mapped', () => {
    const guest = new TestGuest().flat('b8 00 00 05 00 ff e0'); // mov eax, GAP; jmp eax
    const exit = exitOf(guest, 'memory');
    assert.deepEqual([exit.gpa, exit.access, exit.instructionBytes.length], [GAP, 'execute', 0]);
    assert.equal(guest.get('RIP'), GAP);
  });

  test('a read-only page is read without an exit and written with one', () => {
    const guest = new TestGuest(new TestMemory().map(0, 0x20000).map(GAP, 0x1000, READ));
    guest.flat('a1 00 00 05 00 a3 00 00 05 00 f4');
    const exit = exitOf(guest, 'memory');
    assert.deepEqual([exit.access, exit.mapped, exit.gpa], ['write', true, GAP]);
    assert.equal(guest.get('RIP'), 0x8005);
  });

  /** EBX and ESI point to the gap, EDI to RAM; the stack is the gap too where the instruction is about the stack. */
  const accesses = [
    ['mov eax, [ebx]', '8b 03'],
    ['mov [ebx], al', '88 03'],
    ['add [ebx], eax', '01 03'],
    ['adc eax, [ebx]', '13 03'],
    ['inc dword [ebx]', 'ff 03'],
    ['neg word [ebx]', '66 f7 1b'],
    ['shl dword [ebx], 3', 'c1 23 03'],
    ['rcr byte [ebx], cl', 'd2 1b'],
    ['shld [ebx], eax, 4', '0f a4 03 04'],
    ['xchg [ebx], ecx', '87 0b'],
    ['xadd [ebx], ecx', '0f c1 0b'],
    ['cmpxchg [ebx], ecx', '0f b1 0b'],
    ['cmpxchg8b [ebx]', '0f c7 0b'],
    ['bts [ebx], ecx', '0f ab 0b'],
    ['mul dword [ebx]', 'f7 23'],
    ['idiv word [ebx]', '66 f7 3b'],
    ['setz [ebx]', '0f 94 03'],
    ['cmovz eax, [ebx]', '0f 44 03'],
    ['movsx eax, byte [ebx]', '0f be 03'],
    ['bsf eax, [ebx]', '0f bc 03'],
    ['movsd', 'a5'],
    ['lodsd', 'ad'],
    ['cmpsd', 'a7'],
    ['rep movsb', 'f3 a4'],
    ['pop dword [ebx]', '8f 03'],
    ['push dword [ebx]', 'ff 33'],
    ['call [ebx]', 'ff 13'],
    ['jmp far [ebx]', 'ff 2b'],
    ['les eax, [ebx]', 'c4 03'],
    ['lgdt [ebx]', '0f 01 13'],
    ['sidt [ebx]', '0f 01 0b'],
    ['mov [ebx], ds', '8c 1b'],
    ['mov ds, [ebx]', '8e 1b'],
    ['smsw [ebx]', '0f 01 23'],
    ['xlat', 'd7'],
  ] as const;
  const stackAccesses = [
    ['push eax', '50'],
    ['pop eax', '58'],
    ['pusha', '60'],
    ['popa', '61'],
    ['pushf', '9c'],
    ['popf', '9d'],
    ['call', 'e8 00 01 00 00'],
    ['ret 8', 'c2 08 00'],
    ['retf', 'cb'],
    ['iret', 'cf'],
    ['enter 8, 2', 'c8 08 00 02'],
    ['leave', 'c9'],
    ['push ds', '1e'],
    ['pop es', '07'],
    ['call far', '9a 00 80 00 00 08 00'],
    ['int 0x30', 'cd 30'],
  ] as const;

  function prepare(program: string, permissions: number | undefined, stack: number): TestGuest {
    const memory = new TestMemory().map(0, 0x20000);
    if (permissions !== undefined) memory.map(GAP - 0x1000, 0x3000, permissions);
    const guest = new TestGuest(memory).flat(program);
    const descriptors = bytesOf('ff ff 00 00 00 9b cf 00 ff ff 00 00 00 93 cf 00');
    guest.memory.write(0x9008, descriptors);
    guest.memory.write(0xa000 + 0x30 * 8, bytesOf('00 b0 08 00 00 8e 00 00'));
    guest.set('GDTR', (0x9000n << 64n) | (0x17n << 48n));
    guest.set('IDTR', (0xa000n << 64n) | (0x1ffn << 48n));
    for (const [name, value] of [
      ['RAX', 0x11],
      ['RCX', 3],
      ['RDX', 0],
      ['RBX', GAP],
      ['RSI', GAP],
      ['RDI', 0x10000],
      ['RBP', GAP + 16],
      ['RSP', stack],
      ['RFLAGS', 0x8d7],
    ] as const)
      guest.set(name, value);
    return guest;
  }

  for (const [list, stack] of [
    [accesses, 0x7000],
    [stackAccesses, GAP + 8],
  ] as const)
    for (const [name, program] of list)
      test(`${name} changes nothing when memory does not answer`, () => {
        for (const permissions of [undefined, READ]) {
          const guest = prepare(program, permissions, stack);
          const before = state(guest);
          const exit = guest.run(1);
          // A readable page stops only what writes; what reads went on.
          if (permissions === READ && exit.kind !== 'memory') continue;
          assert.equal(exit.kind, 'memory');
          assert.deepEqual(state(guest), before);
          assert.equal(guest.cpu.executed, 0);
          assert.ok(exit.kind === 'memory' && exit.gpa >= GAP - 0x1000 && exit.gpa < GAP + 0x2000);
        }
      });

  test('REP MOVS stops at the element that meets the gap, and goes on from there', () => {
    const guest = new TestGuest().flat('f3 a5 f4');
    guest.set('RSI', 0x9000);
    guest.set('RDI', 0x20000 - 8);
    guest.set('RCX', 5);
    const exit = exitOf(guest, 'memory');
    assert.equal(exit.gpa, 0x20000);
    assert.deepEqual([guest.get('RCX'), guest.get('RSI'), guest.get('RDI')], [3, 0x9008, 0x20000]);
    assert.equal(guest.get('RIP'), 0x8000);
    guest.memory.map(0x20000, 0x1000);
    guest.cpu.memoryChanged();
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RCX'), 0);
  });
});

describe('what the hypervisor answers', () => {
  test('CPUID, RDMSR, WRMSR, VMCALL', () => {
    const guest = new TestGuest().flat(`
      b8 00 00 00 40    ; mov eax, 0x40000000
      31 c9             ; xor ecx, ecx
      0f a2             ; 8007 cpuid
      89 1d 00 90 00 00 ; mov [0x9000], ebx
      b9 02 00 00 40    ; mov ecx, 0x40000002
      0f 32             ; rdmsr
      89 15 04 90 00 00 ; mov [0x9004], edx
      0f 30             ; wrmsr
      0f 01 c1          ; vmcall
      f4
    `);
    const cpuid = exitOf(guest, 'cpuid');
    assert.deepEqual([cpuid.leaf, cpuid.subleaf], [0x40000000, 0]);
    assert.equal(guest.get('RIP'), 0x8007);
    guest.cpu.completeCpuid(cpuid, { eax: 1, ebx: 0x7263694d, ecx: 3, edx: 0xffffffff });
    const rdmsr = exitOf(guest, 'rdmsr');
    assert.equal(rdmsr.msr, 0x40000002);
    guest.cpu.completeRdmsr(rdmsr, 0xfedcba9876543210n);
    const wrmsr = exitOf(guest, 'wrmsr');
    assert.deepEqual([wrmsr.msr, wrmsr.value], [0x40000002, 0xfedcba9876543210n]);
    guest.cpu.completeWrmsr(wrmsr);
    const hypercall = exitOf(guest, 'hypercall');
    guest.cpu.completeHypercall(hypercall, 0x1_0000_0002n);
    assert.equal(guest.run().kind, 'halt');
    assert.deepEqual([guest.get('RAX'), guest.get('RDX')], [2, 1]);
    assert.equal(guest.memory.u32(0x9000), 0x7263694d);
    assert.equal(guest.memory.u32(0x9004), 0xfedcba98);
  });

  test('a hypercall of 64-bit code has its result in RAX alone', () => {
    const guest = new LongGuest().long('0f 01 c1 f4');
    guest.set('RDX', 0x1234_5678_9abcn);
    guest.cpu.completeHypercall(exitOf(guest, 'hypercall'), 0x1_0000_0002n);
    assert.equal(guest.run().kind, 'halt');
    assert.deepEqual([guest.get('RAX'), guest.get('RDX')], [0x1_0000_0002, 0x1234_5678_9abc]);
  });

  test('an MSR that does not exist raises #GP at the instruction', () => {
    const guest = new TestGuest().real('0f 32 f4');
    guest.memory.write(13 * 4, bytesOf('00 05 00 00'));
    guest.memory.write(0x500, bytesOf('f4'));
    exitOf(guest, 'rdmsr');
    assert.equal(guest.cpu.raise(13, 0), undefined);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RIP'), 0x500);
    assert.deepEqual([...guest.memory.read(0x6ffa, 2)], [0, 0x7c]);
  });

  test('VMCALL is refused in real mode', () => {
    const guest = new TestGuest().real('0f 01 c1');
    guest.memory.write(6 * 4, bytesOf('00 05 00 00'));
    guest.memory.write(0x500, bytesOf('f4'));
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RIP'), 0x500);
  });

  test('what is not there says so', () => {
    const guest = new TestGuest().flat('d9 e0 9b'); // fchs of an empty register; wait
    assert.equal(exitOf(guest, 'unsupported').what, 'x87 exceptions without CR0.NE');
    assert.equal(guest.get('RIP'), 0x8002);
  });
});

describe('interrupts and budget', () => {
  test('the budget is exact', () => {
    const guest = new TestGuest().flat('40 40 40 40 40 eb f9'); // inc eax x5; jmp
    for (const budget of [1, 4, 7, 100]) {
      const before = guest.cpu.executed;
      assert.deepEqual(guest.run(budget), { kind: 'budget' });
      assert.equal(guest.cpu.executed - before, budget);
    }
    // 112 instructions: 18 rounds of 6 and 4 more.
    assert.equal(guest.get('RAX'), 94);
    assert.equal(guest.get('RIP'), 0x8004);
  });

  test('an interrupt waits for IF and for the instruction after STI', () => {
    const guest = new TestGuest().real('90 fb 90 90 f4'); // nop; sti; nop; nop; hlt
    guest.memory.write(0x20 * 4, bytesOf('00 05 00 00'));
    guest.memory.write(0x500, bytesOf('b0 55 cf')); // mov al, 0x55; iret
    assert.equal(guest.cpu.inject({ kind: 'external', vector: 0x20 }), 'refused');
    guest.cpu.wantInterruptWindow = true;
    assert.deepEqual(guest.run(), { kind: 'interrupt-window' });
    assert.equal(guest.get('RIP'), 0x7c03, 'one instruction after STI');
    guest.cpu.wantInterruptWindow = false;
    assert.equal(guest.cpu.inject({ kind: 'external', vector: 0x20 }), 'delivered');
    assert.equal(guest.get('RIP'), 0x500);
    assert.equal(guest.get('RFLAGS') & 0x200, 0);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RAX'), 0x55);
    assert.equal(guest.get('RIP'), 0x7c04);
  });

  test('an NMI needs no IF, and the next one waits for the IRET', () => {
    const guest = new TestGuest().real('90 40 f4'); // nop; inc ax; hlt
    guest.memory.write(2 * 4, bytesOf('00 05 00 00'));
    guest.memory.write(0x500, bytesOf('43 cf')); // inc bx; iret
    guest.cpu.wantInterruptWindow = true;
    assert.equal(guest.run().kind, 'halt', 'an interrupt would wait for IF');
    guest.set('RIP', 0x7c00);
    guest.cpu.wantsNmi = true;
    assert.equal(guest.run().kind, 'interrupt-window');
    assert.equal(guest.cpu.inject({ kind: 'nmi', vector: 2 }), 'delivered');
    assert.equal(guest.cpu.inject({ kind: 'nmi', vector: 2 }), 'refused');
    assert.equal(guest.run().kind, 'interrupt-window', 'after the IRET');
    assert.deepEqual([guest.get('RIP'), guest.get('RBX')], [0x7c00, 1]);
  });

  test('an injected software interrupt returns behind its instruction, an exception to it', () => {
    const guest = new TestGuest().real('cd 21 f4'); // int 0x21; hlt
    guest.memory.write(0x21 * 4, bytesOf('00 05 00 00'));
    assert.equal(guest.cpu.inject({ kind: 'software', vector: 0x21, length: 2 }), 'delivered');
    assert.deepEqual([guest.get('RIP'), guest.memory.u32(guest.get('RSP')) & 0xffff], [0x500, 0x7c02]);
    guest.set('RIP', 0x7c00);
    assert.equal(guest.cpu.inject({ kind: 'exception', vector: 0x21 }), 'delivered');
    assert.equal(guest.memory.u32(guest.get('RSP')) & 0xffff, 0x7c00);
  });

  test('a page of registers is asked access by access, whatever the instruction', () => {
    const seen: string[] = [];
    const device = {
      page: 0xfee00,
      load(offset: number, size: number) {
        seen.push(`load ${offset.toString(16)} ${size}`);
        return 0x100;
      },
      store(offset: number, size: number, value: number) {
        seen.push(`store ${offset.toString(16)} ${size} ${value.toString(16)}`);
      },
    };
    const guest = new TestGuest(undefined, device).flat(`
      bb 00 00 e0 fe          ; mov ebx, 0xfee00000
      8b 43 20                ; mov eax, [ebx + 0x20]
      89 83 80 00 00 00       ; mov [ebx + 0x80], eax
      83 8b f0 00 00 00 04    ; or dword [ebx + 0xf0], 4
      66 8b 4b 30             ; mov cx, [ebx + 0x30]
      f4
    `);
    assert.equal(guest.run().kind, 'halt');
    assert.deepEqual(seen, ['load 20 4', 'store 80 4 100', 'load f0 4', 'store f0 4 104', 'load 30 2']);
    assert.equal(guest.get('RCX'), 0x100);
    device.page = -1;
    guest.set('RIP', 0x8005);
    assert.equal(guest.run().kind, 'memory');
  });

  test('a store to a page of registers may have an interrupt come before the next instruction', () => {
    const guest: TestGuest = new TestGuest(undefined, {
      page: 0xfee00,
      load: () => 0,
      store: () => {
        guest.cpu.wantInterruptWindow = true;
      },
    }).flat('a3 00 03 e0 fe 90 90 f4'); // mov [0xfee00300], eax; nop; nop; hlt
    guest.set('RFLAGS', 0x202);
    assert.equal(guest.run().kind, 'interrupt-window');
    assert.equal(guest.get('RIP'), 0x8005);
  });

  test('single-stepping raises #DB after each instruction', () => {
    const guest = new TestGuest().real('40 40 40 f4'); // inc ax x3; hlt
    guest.memory.write(4, bytesOf('00 05 00 00'));
    guest.memory.write(0x500, bytesOf('43 cf')); // inc bx; iret
    guest.set('RFLAGS', 0x102);
    assert.equal(guest.run().kind, 'halt');
    assert.deepEqual([guest.get('RAX'), guest.get('RBX')], [3, 3]);
    assert.equal(guest.get('DR6') & 0x4000, 0x4000);
  });

  test('a guest that only faults uses up its budget', () => {
    const guest = new TestGuest().real('0f 0b'); // ud2, whose handler is ud2 again
    guest.memory.write(6 * 4, bytesOf('00 7c 00 00'));
    assert.deepEqual(guest.run(1000), { kind: 'budget' });
  });
});
