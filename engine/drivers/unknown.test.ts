import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bench } from './bench.testing.ts';

/** What is known where a recording begins mid-life, and why; all else is not. */
const KNOWN: ReadonlyMap<string, string> = new Map([
  [
    'cpu[].msr[].value of VP_INDEX',
    'the profile numbers its CPUs, and Linux takes the VP of each for its number',
  ],
  ['cpu[].online', 'of the only CPU that there is; of several one may be offline'],
  ['partition[].state', 'the partition that the trace is about runs'],
]);
const VP_INDEX = 0x4000_0002;

/** Cells that are known at the start, without the existence of their objects. */
function knownAtStart(given: {
  readonly cpus: number;
  readonly role: string;
  readonly kernel?: string;
}): Set<string> {
  const { machine, paths } = new Bench({ ...given, initial: 'unknown' });
  const { store } = machine;
  const found = new Set<string>();
  for (const { id, kind, key } of store.tables.objects)
    kind.info.forEach((_, slot) => {
      const cell = (id + slot) as Parameters<typeof store.known>[0];
      if (slot === 0 || !store.known(cell)) return;
      const path = paths.path(cell).replaceAll(/\[[^\]]*\]/g, '[]');
      found.add(kind.name === 'msr' ? `${path}.value of ${key === VP_INDEX ? 'VP_INDEX' : key}` : path);
    });
  return found;
}

describe('where a recording begins mid-life', () => {
  for (const role of ['root', 'nested-root', 'l1vh', 'guest', 'vtl-host'])
    it(`${role}: only what the profile says is known`, () => {
      assert.deepEqual([...knownAtStart({ cpus: 1, role })].sort(), [...KNOWN.keys()].sort());
      const several = [...KNOWN.keys()].filter((path) => path !== 'cpu[].online');
      assert.deepEqual([...knownAtStart({ cpus: 3, role })].sort(), several.sort());
    });

  it('an event tells: a register that is read, a CPU that does something, a driver that starts', () => {
    const bench = new Bench({ role: 'l1vh', cpus: 2, initial: 'unknown', synicOwnership: 'before' });
    const known = (path: string) => {
      const [cell] = bench.paths.find(path) ?? [];
      return cell !== undefined && bench.machine.store.known(cell);
    };
    assert.equal(known('cpu[1].online'), false);
    bench.msr('write', 'SCONTROL', 1n, 'test', 1);
    assert.deepEqual([known('cpu[1].online'), known('cpu[1].synic.scontrol')], [true, true]);
    assert.deepEqual([known('cpu[0].online'), known('cpu[0].synic.scontrol')], [false, false]);
    assert.equal(known('driver.mshv.state'), false);
    bench.lifecycle('component-start', { component: 'mshv' });
    for (const name of ['state', 'scheduler', 'hotplug', 'notifier', 'opens', 'debugfs'])
      assert.equal(known(`driver.mshv.${name}`), true, name);
    assert.equal(known('driver.vmbus.state'), false);
  });
});
