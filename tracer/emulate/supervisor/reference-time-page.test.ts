import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeChild } from '../../../engine/hypervisor/bench.testing.ts';
import { vpOfRef } from '../../../engine/hypervisor/index.ts';
import {
  freezeReferenceTime,
  referenceTime,
  setReferenceTime,
} from '../../../engine/hypervisor/partition/reference.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import { STOP } from '../vp/channel.ts';
import type { Guest } from './guest.ts';
import { noteTsc, ReferenceTimePage, refreshMemory } from './reference-time-page.ts';

/** A guest whose page is `page`; `countsTime`: its TSC counts nanoseconds; `written` counts the writes to the page. */
function guestWith(page: Uint8Array, countsTime = true, written = { count: 0 }): Guest {
  const memory = {
    refresh: () => {},
    referenceTime: new ReferenceTimePage(),
    hasOverlay: () => true,
    writeOverlay: (_vp: number, _name: string, offset: number, bytes: Uint8Array) => {
      written.count += 1;
      page.set(bytes, offset);
    },
  };
  return { partition: 2n, index: 0, countsTime, memory } as unknown as Guest;
}

/** As a guest reads the time (TLFS, partition reference TSC mechanism); undefined where the page is not to be used. */
function timeBy(page: Uint8Array, tsc: bigint): bigint | undefined {
  const view = new DataView(page.buffer);
  if (view.getUint32(0, true) === 0) return undefined;
  return ((tsc * view.getBigUint64(8, true)) >> 64n) + view.getBigInt64(16, true);
}

test('the reference TSC page tells the reference time, follows when it is set, and is not used while it is frozen', () => {
  const { context } = activeChild();
  const machine = context as unknown as Machine;
  const partition = context.store.parent(vpOfRef(context, { partition: 2n, vp: 0 }) ?? assert.fail('no VP'));
  const page = new Uint8Array(4096);
  const sequence = (): number => new DataView(page.buffer).getUint32(0, true);
  const written = { count: 0 };
  const guest = guestWith(page, true, written);
  const seen: number[] = [];
  const agrees = (tNs: number): void => {
    refreshMemory(machine, guest);
    assert.equal(timeBy(page, BigInt(tNs)), referenceTime(context, partition, tNs));
    seen.push(sequence());
  };
  agrees(100);
  agrees(3_600_000_000_000);
  setReferenceTime(context, partition, 1000, 77n);
  agrees(5_000_000_000);
  const before = written.count;
  refreshMemory(machine, guest);
  assert.equal(written.count, before, 'nothing is written where nothing has changed');
  assert.ok(seen[0] === seen[1] && seen[1] !== seen[2], 'a sequence of its own for each time that holds');
  freezeReferenceTime(context, partition, 2000, true);
  refreshMemory(machine, guest);
  assert.equal(sequence(), 0);
  freezeReferenceTime(context, partition, 9000, false);
  agrees(10_000);
  assert.ok(!seen.slice(0, 3).includes(seen[3]!));
});

test('it is not used where the TSC counts instructions', () => {
  const { context } = activeChild();
  const page = new Uint8Array(4096);
  refreshMemory(context as unknown as Machine, guestWith(page, false));
  assert.ok(page.every((byte) => byte === 0));
});

test('it is not used once a VP has set its TSC', () => {
  const { context } = activeChild();
  const machine = context as unknown as Machine;
  const page = new Uint8Array(4096);
  const guest = guestWith(page);
  const used = (): boolean => new DataView(page.buffer).getUint32(0, true) !== 0;
  const does = (reason: number, msr: number): void => {
    const word = (name: string) => (name === 'reason' ? reason : msr);
    noteTsc(machine, { ...guest, channel: { word } } as unknown as Guest);
  };
  refreshMemory(machine, guest);
  does(STOP.readMsr, 0x10);
  does(STOP.writeMsr, 0x277);
  assert.ok(used());
  does(STOP.writeMsr, 0x10);
  assert.ok(!used());
  refreshMemory(machine, guest);
  assert.ok(!used());
});
