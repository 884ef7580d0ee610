import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageTypes } from '../../../engine/abi/index.ts';
import { Arena } from '../../native/arena.ts';
import { ANSWER, STOP, VpChannel } from './channel.ts';
import { LongRun } from './long-run.ts';
import { MappedMemory, MemoryMap } from './memory-map.ts';
import { Processor } from './processor.ts';
import { EXECUTE, OVERLAY, PAGE_BYTES, READ, WRITE } from './processor-memory.ts';
import { REGISTERS, registerIndex } from './registers.ts';

const RAM = READ | WRITE | EXECUTE;
const REAL_MODE_SEGMENT = (0xffffn << 64n) | (0x93n << 112n);

/** What a guest has as its memory is known to the processor by address alone: nothing else keeps it from being collected. */
const kept: Arena[] = [];

/** A processor in real mode whose code stands at 0:700h; every vector leads to a HLT at 0:500h + vector. */
function make(code: readonly number[], permissions: number, idlesOnHalt = false) {
  const low = new Arena(PAGE_BYTES);
  const high = new Arena(PAGE_BYTES);
  kept.push(low, high);
  for (let vector = 0; vector < 32; vector++) {
    low.view.setUint32(4 * vector, 0x500 + vector, true);
    low.bytes[0x500 + vector] = 0xf4;
  }
  low.bytes.set(code, 0x700);
  const map = new MemoryMap();
  map.set([
    { page: 0, pages: 1, address: low.address, permissions: RAM },
    { page: 6, pages: 1, address: high.address, permissions },
  ]);
  const channel = new VpChannel();
  const registers = { RIP: 0x700n, RSP: 0x400n, RFLAGS: 2n, CR0: 0x10n, IDTR: 0x3ffn << 48n };
  const segments = Object.fromEntries(['CS', 'DS', 'SS', 'ES'].map((name) => [name, REAL_MODE_SEGMENT]));
  for (const [name, value] of Object.entries({ ...registers, ...segments }))
    channel.setRegister('engine', registerIndex(name), value);
  channel.setWord('answer', ANSWER.registers);
  const processor = new Processor(channel, new MappedMemory(map), 0, idlesOnHalt);
  return { channel, processor, thread: new LongRun(channel, new MappedMemory(map)), high };
}

function run(code: readonly number[], permissions: number) {
  const { channel, processor, high } = make(code, permissions);
  while (!processor.run(100));
  assert.equal(channel.word('reason'), STOP.intercept);
  const { name } = messageTypes.find(channel.word('messageType') >>> 0) ?? {};
  return { message: name, rip: channel.register(registerIndex('RIP')), written: high.bytes[0] };
}

/** sti; add ax, 3; mov [6000h], ax; xor bx, ax; rdtsc; push ax; pop dx; dec cx; jnz -> add; hlt */
const LOOP = [0xfb, 5, 3, 0, 0xa3, 0, 0x60, 0x31, 0xc3, 0x0f, 0x31, 0x50, 0x5a, 0x49, 0x75, 0xf1, 0xf4];

/** All registers after a loop of 500 rounds; the thread takes over after each `steps` instructions. */
function looped(steps: number): readonly bigint[] {
  const { channel, processor, thread } = make(LOOP, RAM);
  channel.setRegister('engine', registerIndex('RCX'), 500n);
  channel.stop();
  while (!processor.run(steps)) {
    processor.handOver();
    thread.run();
  }
  assert.equal(channel.word('reason'), STOP.intercept);
  return REGISTERS.map((_, place) => channel.register(place));
}

/** A processor with paging: linear page 5 is page 6, which holds 66h, until its entry at 2014h says page 7, which holds 77h. */
function paged(code: readonly number[]) {
  const ram = new Arena(8 * PAGE_BYTES);
  kept.push(ram);
  ram.bytes.set(code, 0x700);
  ram.view.setUint32(0x1000, 0x2003, true);
  for (let page = 0; page < 5; page++) ram.view.setUint32(0x2000 + 4 * page, page * PAGE_BYTES + 3, true);
  ram.view.setUint32(0x2014, 0x6003, true);
  ram.bytes.set([0x66], 0x6000);
  ram.bytes.set([0x77], 0x7000);
  const map = new MemoryMap();
  map.set([{ page: 0, pages: 8, address: ram.address, permissions: RAM }]);
  const channel = new VpChannel();
  const registers = { RIP: 0x700n, RFLAGS: 2n, CR0: 0x8000_0011n, CR3: 0x1000n };
  const flat = (type: bigint): bigint => (0xffff_ffffn << 64n) | ((0xc090n | type) << 112n);
  const segments = { CS: flat(0xbn), DS: flat(3n), SS: flat(3n), ES: flat(3n) };
  for (const [name, value] of Object.entries({ ...registers, ...segments }))
    channel.setRegister('engine', registerIndex(name), value);
  channel.setWord('answer', ANSWER.registers);
  channel.stop();
  const processor = new Processor(channel, new MappedMemory(map), 0, true);
  return { channel, processor, thread: new LongRun(channel, new MappedMemory(map)) };
}

const READ_PAGE_5 = [0xa0, 0, 0x50, 0, 0];
/** mov byte [2015h], 70h; invlpg [5000h] */
const MOVE_PAGE_5 = [0xc6, 0x05, 0x15, 0x20, 0, 0, 0x70, 0x0f, 0x01, 0x3d, 0, 0x50, 0, 0];
const HLT = 0xf4;

/** mov byte [6000h], 1; hlt */
const STORE = [0xc6, 0x06, 0x00, 0x60, 1, 0xf4];

describe('the processor of a VP', () => {
  it('goes on in its thread where it was, and back', () => {
    const here = looped(1_000_000);
    assert.equal(here[registerIndex('RCX')], 0n);
    for (const steps of [1, 7, 100]) assert.deepEqual(looped(steps), here);
  });

  it('forgets what the guest had its thread forget', () => {
    const { channel, processor, thread } = paged([...READ_PAGE_5, ...MOVE_PAGE_5, HLT, ...READ_PAGE_5, HLT]);
    assert.equal(processor.run(1), false);
    assert.equal(channel.register(registerIndex('RAX')), 0x66n);
    processor.handOver();
    thread.run();
    for (let stops = 0; stops < 2; stops++) assert.equal(processor.run(2), true);
    assert.equal(channel.register(registerIndex('RAX')), 0x77n);
  });

  it('has its thread forget what the guest forgot', () => {
    const NOP = 0x90;
    const code = [NOP, ...READ_PAGE_5, HLT, ...MOVE_PAGE_5, ...READ_PAGE_5, HLT];
    const { channel, processor, thread } = paged(code);
    for (const [steps, stops] of [
      [1, false],
      [1, true],
      [2, false],
    ] as const) {
      assert.equal(processor.run(steps), stops);
      if (stops) continue;
      processor.handOver();
      thread.run();
    }
    assert.equal(channel.register(registerIndex('RAX')), 0x77n);
  });

  it('is behind a HLT that ends in the hypervisor', () => {
    const { channel, processor } = make(STORE, RAM, true);
    while (!processor.run(100));
    assert.equal(channel.word('reason'), STOP.idle);
    assert.equal(channel.register(registerIndex('RIP')), 0x706n);
  });

  it('stores where it may', () => {
    assert.deepEqual(run(STORE, RAM), { message: 'HVMSG_X64_HALT', rip: 0x705n, written: 1 });
  });

  it('raises #GP for a store to a page of the hypervisor', () => {
    const stopped = run(STORE, READ | EXECUTE | OVERLAY);
    assert.deepEqual(stopped, { message: 'HVMSG_X64_HALT', rip: 0x50dn, written: 0 });
  });

  it('stops for a store to a page of its own that it may not write', () => {
    const stopped = run(STORE, READ);
    assert.deepEqual(stopped, { message: 'HVMSG_GPA_INTERCEPT', rip: 0x700n, written: 0 });
  });
});
