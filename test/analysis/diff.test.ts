import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Diff, diff } from '../../engine/analysis/diff/diff.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { bootOfQemu, type Recording, recordings } from '../mutation/corpus.ts';
import { changeBy, missed } from './changed.testing.ts';
import { record, renamed, whole } from './traces.testing.ts';

const LEAST_FOUND = 48;

function compare(a: Recording, b: Recording): Diff {
  return diff(whole(a), whole(b), SIDES);
}

test('of fifty single changes, made by the seeds of a file, 48 are found as the first difference', (t) => {
  const seeds = readFileSync(join(import.meta.dirname, 'seeds.txt'), 'utf8')
    .trim()
    .split('\n')
    .map(Number);
  const all = recordings();
  const notFound = seeds.map((seed) => missed(changeBy(seed, all))).filter((each) => each !== undefined);
  t.diagnostic(`${seeds.length - notFound.length} of ${seeds.length} found`);
  for (const each of notFound) t.diagnostic(`not found: ${each}`);
  assert.ok(seeds.length >= 50);
  assert.ok(seeds.length - notFound.length >= LEAST_FOUND, notFound.join('\n'));
});

test('a recording is equal to itself, and to itself under other names', () => {
  for (const recording of [...recordings(), bootOfQemu(2000)]) {
    const same = compare(recording, recording);
    assert.deepEqual([same.equal, same.onlyA, same.onlyB], [true, 0, 0], recording.name);
    // The event text has other bytes of messages as hex, in which nothing is renamed.
    if (recording.events.some(({ kind }) => kind === 'message')) continue;
    // A VTL kernel knows no partition but its own, which has no id of its own.
    if (recording.header.profile.kernel === 'vtl') continue;
    const other = compare(recording, renamed(recording));
    assert.deepEqual([other.first, other.equal], [undefined, true], recording.name);
  }
});

const PROFILE = { kernel: 'upstream-7.0', role: 'root', cpus: 2 };

/** A process that makes a partition with a VP: `step` gives the time of each call. */
function machineOf(
  pid: number,
  device: string,
  partition: string,
  fd: number,
  times: readonly number[],
): object[] {
  const call = (op: string, handle: string, on: number, arg?: object) => ({
    kind: 'ioctl',
    pid,
    tid: pid,
    handle,
    fd: on,
    op,
    ...(arg && { arg }),
  });
  return [
    { kind: 'fd', what: 'open', pid, tid: pid, path: '/dev/mshv', handle: device, ret: fd },
    call('MSHV_CREATE_PARTITION', device, fd, {}),
    call('MSHV_INITIALIZE_PARTITION', partition, fd + 1),
    call('MSHV_CREATE_VP', partition, fd + 1, { vp_index: 0 }),
    { kind: 'fd', what: 'close', pid, tid: pid, fd: fd + 1, handle: partition },
  ].map((each, i) => ({ t: `${times[i]}us`, ...each }));
}

function timed(...groups: (readonly object[])[]): object[] {
  const at = (each: object) => Number.parseInt((each as { t: string }).t, 10);
  return groups.flat().sort((x, y) => at(x) - at(y));
}

const BEGIN = [
  { t: '0us', kind: 'lifecycle', what: 'component-start', component: 'arch' },
  { t: '1us', kind: 'lifecycle', what: 'component-start', component: 'mshv' },
];

test('two processes that do not touch each other may come in another order, and have other ids then', () => {
  const a = record(
    PROFILE,
    timed(
      BEGIN,
      machineOf(100, 'device', 'partition:2', 3, [10, 20, 30, 40, 50]),
      machineOf(200, 'device:2', 'partition:3', 3, [15, 25, 35, 45, 55]),
    ),
  );
  const b = record(
    PROFILE,
    timed(
      BEGIN,
      machineOf(300, 'device', 'partition:2', 7, [10, 12, 14, 16, 18]),
      machineOf(400, 'device:2', 'partition:3', 3, [20, 22, 24, 26, 28]),
    ),
  );
  const c = record(
    PROFILE,
    timed(
      BEGIN,
      machineOf(500, 'device:2', 'partition:3', 3, [20, 22, 24, 26, 28]),
      machineOf(600, 'device', 'partition:2', 3, [10, 12, 14, 16, 18]),
    ),
  );
  for (const other of [b, c]) {
    const found = compare(a, other);
    assert.deepEqual([found.first, found.equal, found.onlyA], [undefined, true, 0]);
  }
});

test('two components that write one register in another order are not independent', () => {
  const write = (t: number, component: string, value: string) => ({
    t: `${t}us`,
    kind: 'msr',
    dir: 'write',
    cpu: 0,
    component,
    msr: 'HV_X64_MSR_SCONTROL',
    value,
  });
  const profile = { kernel: 'unknown', cpus: 1 };
  const a = record(profile, [write(1, 'vmbus', '0x1'), write(2, 'mshv', '0x0')]);
  const b = record(profile, [write(1, 'mshv', '0x0'), write(2, 'vmbus', '0x1')]);
  const { first, state } = compare(a, b);
  assert.equal(first?.reason, 'order');
  assert.equal(first.fields[0]?.field, 'cpu[0].synic.scontrol');
  assert.deepEqual([first.a, first.b].sort(), [1, 1]);
  assert.deepEqual(
    state.map(({ path }) => path),
    ['cpu[0].synic.scontrol', 'cpu[0].synic.disabledBy'],
  );
});

test('the state difference names the cells that differ at the first difference, and no others', () => {
  const write = (t: number, msr: string, value: string) => ({
    t: `${t}us`,
    kind: 'msr',
    dir: 'write',
    cpu: 0,
    component: 'vmbus',
    msr,
    value,
  });
  const profile = { kernel: 'unknown', cpus: 1 };
  const begin = [write(1, 'HV_X64_MSR_SCONTROL', '0x1'), write(2, 'HV_X64_MSR_SINT2', '0x200f3')];
  const a = record(profile, begin);
  const b = record(profile, [
    ...begin.slice(0, 1),
    write(2, 'HV_X64_MSR_SINT2', '0x300f3'),
    write(3, 'HV_X64_MSR_SINT3', '0xf4'),
  ]);
  const found = compare(a, b);
  assert.deepEqual([found.first?.a, found.first?.b, found.first?.reason], [2, 2, 'changed']);
  assert.deepEqual(found.state, [{ path: 'cpu[0].synic.sint[2]', a: '0x200f3', b: '0x300f3' }]);
  assert.deepEqual([found.aligned, found.onlyA, found.onlyB], [2, 0, 1]);
});

test('equal events under other profiles differ in the profile', () => {
  const events = [{ t: '0us', kind: 'msr', dir: 'read', cpu: 0, component: 'vmbus', msr: 'HV_X64_MSR_SIMP' }];
  const [a, b] = [
    record({ kernel: 'unknown', seed: 1 }, events),
    record({ kernel: 'unknown', seed: 2 }, events),
  ];
  assert.deepEqual(compare(a, b).first, {
    a: 0,
    b: 0,
    reason: 'profile',
    fields: [{ field: 'seed', a: '1', b: '2' }],
  });
});
