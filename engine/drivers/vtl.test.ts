/** The devices of a kernel in VTL 2, recorded and replayed; call by call they are in test/conformance/ioctls/vtl-*.md. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import { Bench } from './bench.testing.ts';
import { request } from './guest.testing.ts';
import { played, SIDES, scenario } from './scenario.testing.ts';

const WHO = { pid: 7, tid: 7, cpu: 0 };

interface Ioctl {
  readonly op?: string;
  readonly [key: string]: unknown;
}

/** A recording of calls on files of this driver, one a microsecond. */
function recording(profile: object, calls: readonly Ioctl[]) {
  const header = { profile: { kernel: 'vtl', role: 'vtl-host', ...profile } };
  const lines = calls.map((call, i) => ({
    t: `${i}us`,
    ...('ret' in call && !('what' in call) ? { tEnd: `${i}500ns` } : {}),
    kind: 'ioctl',
    ...WHO,
    ...call,
  }));
  const text = [header, ...lines].map((line) => JSON.stringify(line)).join('\n');
  return scenario('vtl', text);
}

function replayed(profile: object, calls: readonly Ioctl[]) {
  const { header, stimuli } = recording(profile, calls);
  return replay(memorySource(header, stimuli), SIDES);
}

const RETURN = { handle: 'vtl:1', op: 'MSHV_RETURN_TO_LOWER_VTL' };
const GET_RIP = {
  handle: 'vtl:1',
  op: 'MSHV_GET_VP_REGISTERS',
  arg: { count: 1 },
  in: { names: ['HV_X64_REGISTER_RIP'] },
};

describe('a kernel in VTL 2', () => {
  it('comes back from the lower VTL with a message, or by a signal', () => {
    const report = replayed({}, [
      { ...RETURN, ret: 0 },
      { ...RETURN, ret: -4 },
    ]);
    assert.deepEqual(report.divergences, []);
    assert.equal(replayed({}, [{ ...RETURN, ret: -22 }]).divergences.length, 1);
  });

  it('takes the values of registers from the record, and checks all else', () => {
    const answered = { ...GET_RIP, ret: 0, out: { values: ['0x1234'] } };
    assert.deepEqual(replayed({}, [answered]).divergences, []);
    assert.equal(replayed({}, [{ ...GET_RIP, arg: { count: 2 }, ret: 0 }]).divergences.length, 1);
  });

  it('keeps what the hypervisor told', () => {
    const ask = { handle: 'device', op: 'MSHV_CHECK_EXTENSION', arg: 1 };
    assert.deepEqual(
      replayed({}, [
        { ...ask, ret: 1 },
        { ...ask, ret: 1 },
      ]).divergences,
      [],
    );
    const changed = replayed({}, [
      { ...ask, ret: 1 },
      { ...ask, ret: 0 },
    ]);
    assert.equal(changed.divergences.length, 1);
  });

  it('has a list of calls for each open, which a recording that began later does not know', () => {
    const call = { handle: 'hvcall:1', op: 'MSHV_HVCALL', arg: { control: '0x5c' }, ret: 0 };
    assert.equal(replayed({}, [call]).divergences.length, 1);
    assert.deepEqual(replayed({ initial: 'unknown' }, [call]).divergences, []);
  });

  it('gives the status of a posted message as the result', () => {
    const post = {
      handle: 'sint:1',
      op: 'MSHV_SINT_POST_MESSAGE',
      arg: { message_type: 1, connection_id: 9, payload_size: 4 },
      in: { bytes: '00000000' },
    };
    assert.deepEqual(replayed({}, [{ ...post, ret: 18 }]).divergences, []);
    assert.equal(replayed({}, [{ ...post, arg: { payload_size: 241 }, ret: 18 }]).divergences.length, 1);
  });

  it('sets up a register page where intercepts have a page', () => {
    const own = { partition_id: '0xffffffffffffffff', vp_index: '0xfffffffe' };
    const child = { kind: 'hypercall', parent: 1, cpu: 0, component: 'mshv' };
    const set = (name: string, value: string) => ({
      ...child,
      code: 'HVCALL_SET_VP_REGISTERS',
      input: { ...own, elements: [{ name, value }] },
      result: { status: 'SUCCESS', reps: 1 },
    });
    const names = ['HV_REGISTER_VSM_CODE_PAGE_OFFSETS', 'HV_REGISTER_VSM_CAPABILITIES'];
    const asked = {
      ...child,
      code: 'HVCALL_GET_VP_REGISTERS',
      input: { ...own, names },
      result: { status: 'SUCCESS', reps: 2 },
      output: { values: ['0x0', '0x8000001'] },
    };
    const start = { kind: 'lifecycle', what: 'component-start', component: 'mshv' };
    const end = { ...start, parent: 1, phase: 'end', ret: 0 };
    const steps = [
      start,
      asked,
      set('HV_REGISTER_VSM_PARTITION_CONFIG', '0x163f'),
      set('HV_X64_REGISTER_REG_PAGE', '0x123001'),
      end,
      { handle: 'device', op: 'MSHV_CHECK_EXTENSION', arg: 1, ret: 1 },
      { handle: 'device', op: 'MSHV_CHECK_EXTENSION', arg: 2, ret: 0 },
    ];
    const report = replayed({ cpus: 1 }, steps);
    assert.deepEqual(report.divergences, []);
    const without = steps.filter((_, i) => i !== 3);
    assert.notDeepEqual(replayed({ cpus: 1 }, without).divergences, []);
  });

  it('replays what it has played', () => {
    const told = recording({ cpus: 2 }, [
      { handle: 'device', op: 'MSHV_CREATE_VTL' },
      GET_RIP,
      { handle: 'sint:1', op: 'MSHV_SINT_PAUSE_MESSAGE_STREAM', arg: { mask: 1 } },
    ]);
    const { events, hash } = played(told, told.header.profile);
    assert.equal(events.length, 6);
    const report = replay(memorySource(told.header, events), SIDES);
    assert.deepEqual(report.divergences, []);
    assert.equal(report.hash, hash);
  });
});

describe('what reaches a kernel in VTL 2', () => {
  const started = (cpus: number) => {
    const bench = new Bench({ kernel: 'vtl', role: 'vtl-host', cpus });
    if (cpus > 1) bench.lifecycle('cpu-offline', { cpu: 1 });
    assert.equal(bench.lifecycle('component-start', { component: 'mshv' }).outcome?.ret, 0);
    return bench;
  };
  const words = (...values: number[]) => {
    const bytes = new Uint8Array(4 * values.length);
    values.forEach((value, i) => {
      new DataView(bytes.buffer).setInt32(4 * i, value, true);
    });
    return bytes;
  };
  const VTL_FILE = { kind: 'vtl', open: 1 } as const;

  it('a CPU that comes later is set up as the others were', () => {
    const bench = started(2);
    const { lines } = bench.lifecycle('cpu-online', { cpu: 1 });
    assert.deepEqual(lines, ['1 mshv W SINT0 0x200f3']);
    assert.deepEqual(bench.lifecycle('cpu-offline', { cpu: 1 }).lines, []);
    bench.lifecycle('component-stop', { component: 'mshv' });
    assert.deepEqual(bench.lifecycle('cpu-online', { cpu: 1 }).lines, []);
  });

  it('a flag of SINT7 is taken and signals its eventfd, one without an eventfd is taken', () => {
    const setEventfd = { handle: 'sint:1', op: 'MSHV_SINT_SET_EVENTFD', arg: { fd: 9, flag: 70 }, ret: 0 };
    const flag = (number: number) => ({ kind: 'message', what: 'event', cpu: 0, sint: 7, flag: number });
    const { header, stimuli } = recording({}, [setEventfd, flag(70), flag(71)]);
    const { events } = played({ name: 'flags', header, stimuli }, header.profile);
    const below = events.filter((event) => event.parent !== undefined);
    assert.deepEqual(
      below.map((event) => ('what' in event ? `${event.kind} ${event.what}` : event.kind)),
      ['message clear', 'fd eventfd-signal', 'message clear'],
    );
    assert.deepEqual(replay(memorySource(header, events), SIDES).divergences, []);
  });

  it('a file that is polled brings its CPU back from the lower VTL', () => {
    const bench = started(1);
    const ioctl = (name: string, arg?: Uint8Array) => ({
      handle: VTL_FILE,
      op: request('vtl', name, 'vtl'),
      pid: 7,
      cpu: 0,
      ...(arg === undefined ? {} : { arg }),
    });
    assert.equal(bench.ioctl(ioctl('MSHV_SET_POLL_FILE', words(0, 20))).outcome?.ret, 0);
    const back = ioctl('MSHV_RETURN_TO_LOWER_VTL');
    assert.deepEqual(bench.ioctl(back).outcome, { rule: 'Linux.vtl.return' });
    bench.fd({ what: 'eventfd-signal', handle: { kind: 'eventfd', fd: 21 }, value: 1n, pid: 7 });
    assert.equal(bench.wake(back), undefined);
    bench.fd({ what: 'eventfd-signal', handle: { kind: 'eventfd', fd: 20 }, value: 1n, pid: 7 });
    assert.equal(bench.wake(back)?.outcome.ret, -4);
    assert.equal(bench.wake(back), undefined);
  });
});
