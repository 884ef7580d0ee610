import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../trace/text/json.ts';
import { Bench } from './bench.testing.ts';
import { activePartition, DEVICE, hypercallsOf, PARTITION, ROOT, request, u32, VP } from './guest.testing.ts';
import { GPA_INTERCEPT, giveMemory, HALT, RUN, run, VP_REF, wake, withVp } from './run.testing.ts';

/** Hypercalls that the hypervisor refuses for reasons of its own: what the drivers make of each, and what they take back. */

const INITIALIZE = { handle: PARTITION, op: request('partition', 'MSHV_INITIALIZE_PARTITION'), pid: 7 };
const CREATE_VP = { handle: PARTITION, op: request('partition', 'MSHV_CREATE_VP'), arg: u32(0), pid: 7 };
const [EINVAL, EIO, ENOMEM, ENODEV, EOPNOTSUPP] = [-22, -5, -12, -19, -95];

describe('MSHV_CREATE_VP that is refused', () => {
  /** The calls of a VP in their order, and those that take back what was done before each. Source: mshv_partition_ioctl_create_vp. */
  const MADE = [
    'DEPOSIT_MEMORY',
    'CREATE_VP',
    'MAP_VP_STATE_PAGE',
    'MAP_VP_STATE_PAGE',
    'MAP_STATS_PAGE',
    'MAP_STATS_PAGE',
  ];
  const UNMADE = [[], [], ['DELETE_VP'], ['UNMAP_VP_STATE_PAGE', 'DELETE_VP']] as string[][];
  const PAGES = ['UNMAP_VP_STATE_PAGE', 'UNMAP_VP_STATE_PAGE', 'DELETE_VP'];
  const UNDO = [...UNMADE, PAGES, ['UNMAP_STATS_PAGE', ...PAGES]];
  MADE.forEach((call, i) => {
    it(`at its call ${i + 1}, ${call}: what was done before is undone in reverse`, () => {
      const bench = activePartition();
      const after = MADE.slice(0, i).filter((before) => before === call).length;
      const { lines, outcome } = bench.refuse(call, 'OPERATION_DENIED', { after }).ioctl(CREATE_VP);
      assert.equal(outcome?.ret, EIO);
      const names = hypercallsOf(lines).map((line) => line.split(' ')[0]);
      assert.deepEqual(names, [...MADE.slice(0, i + 1), ...(UNDO[i] ?? [])]);
      assert.equal(bench.exists('partition[2].vp[0]'), false);
      assert.ok((bench.ioctl(CREATE_VP).outcome?.ret ?? -1) >= 0);
    });
  });

  it('the parent’s statistics answered INVALID_PARAMETER are none: its own stand for both, and go alone', () => {
    const bench = activePartition().refuse('MAP_STATS_PAGE', 'INVALID_PARAMETER', { after: 1 });
    assert.equal(bench.ioctl(CREATE_VP).outcome?.ret, 4);
    bench.fd({ what: 'close', handle: VP, pid: 7 });
    const { lines } = bench.fd({ what: 'close', handle: PARTITION, pid: 7 });
    const names = hypercallsOf(lines).map((line) => line.split(' ')[0]);
    assert.equal(names.filter((name) => name === 'UNMAP_STATS_PAGE').length, 1);
  });

  it('an own page of statistics answered so is a failure', () => {
    const bench = activePartition().refuse('MAP_STATS_PAGE', 'INVALID_PARAMETER');
    assert.equal(bench.ioctl(CREATE_VP).outcome?.ret, EINVAL);
  });
});

describe('MSHV_INITIALIZE_PARTITION that is refused', () => {
  const debugfs = () => {
    const bench = activePartition({ debugfs: true }, false);
    bench.lifecycle('component-start', { component: 'mshv' });
    return bench;
  };
  const names = ({ lines }: { readonly lines: readonly string[] }) =>
    hypercallsOf(lines).map((line) => line.split(' ')[0]);

  it('withdraws the pages', () => {
    const bench = activePartition({}, false).refuse('INITIALIZE_PARTITION', 'OPERATION_DENIED');
    const refused = bench.ioctl(INITIALIZE);
    assert.equal(refused.outcome?.ret, EIO);
    assert.deepEqual(names(refused), ['DEPOSIT_MEMORY', 'INITIALIZE_PARTITION', 'WITHDRAW_MEMORY']);
    assert.equal(bench.cell('partition[2].pool.deposited'), 0n);
  });

  it('where its statistics cannot be shown: finalized, and the pages withdrawn', () => {
    for (const [after, unmapped] of [
      [0, []],
      [1, ['UNMAP_STATS_PAGE']],
    ] as const) {
      const bench = debugfs().refuse('MAP_STATS_PAGE', 'OPERATION_DENIED', { after });
      const refused = bench.ioctl(INITIALIZE);
      assert.equal(refused.outcome?.ret, EIO);
      assert.deepEqual(names(refused).slice(2 + after + 1), [
        ...unmapped,
        'FINALIZE_PARTITION',
        'WITHDRAW_MEMORY',
      ]);
      assert.equal(bench.cell('driver.mshv.partition[2].initialized'), 0n);
    }
  });

  it('the parent’s statistics answered INVALID_PARAMETER are none', () => {
    const bench = debugfs().refuse('MAP_STATS_PAGE', 'INVALID_PARAMETER', { after: 1 });
    assert.equal(bench.ioctl(INITIALIZE).outcome?.ret, 0);
    assert.equal(bench.cell('driver.mshv.partition[2].statistics.parent'), 0n);
  });
});

describe('a status', () => {
  const CREATE = request('device', 'MSHV_CREATE_PARTITION');
  const ret = (given: JsonObject, status: string) => {
    const bench = new Bench({ ...ROOT, ...given }).refuse('CREATE_PARTITION', status);
    return bench.ioctl({ handle: DEVICE, op: CREATE, arg: new Uint8Array(16), pid: 7 });
  };

  it('of no hypercall page: EOPNOTSUPP; the driver of 2020 knows none', () => {
    assert.equal(ret({}, '#UD').outcome?.ret, EOPNOTSUPP);
    const old = new Bench({ ...ROOT, kernel: 'rfc2020' }).refuse('CREATE_PARTITION', '#UD');
    const op = (name: string) => request('device', name, 'rfc2020');
    old.ioctl({ handle: DEVICE, op: op('MSHV_REQUEST_VERSION'), arg: u32(0), pid: 7 });
    const create = { handle: DEVICE, op: op('MSHV_CREATE_PARTITION'), arg: new Uint8Array(40), pid: 7 };
    assert.equal(old.ioctl(create).outcome?.ret, -131);
  });

  it('that wants memory of the root: on a root pages for itself, elsewhere ENOMEM', () => {
    for (const [status, pages] of [
      ['INSUFFICIENT_ROOT_MEMORY', 1],
      ['INSUFFICIENT_CONTIGUOUS_ROOT_MEMORY', 8],
    ] as const) {
      const calls = hypercallsOf(ret({}, status).lines).slice(1);
      assert.deepEqual(calls, [`DEPOSIT_MEMORY SUCCESS ${pages}`, 'CREATE_PARTITION SUCCESS']);
      const nested = ret({ role: 'l1vh' }, status);
      assert.deepEqual([nested.outcome?.ret, nested.lines.length], [ENOMEM, 1]);
    }
  });

  it('that older kernels do not know is an errno there', () => {
    for (const status of ['INSUFFICIENT_CONTIGUOUS_MEMORY', 'INSUFFICIENT_ROOT_MEMORY']) {
      const old = ret({ kernel: 'upstream-6.16' }, status);
      assert.deepEqual([old.outcome?.ret, old.lines.length], [ENOMEM, 1]);
    }
  });
});

describe('a start of mshv that the hypervisor refuses', () => {
  const start = (given: JsonObject, call: string, status: string) => {
    const bench = new Bench({ ...ROOT, vmbus: false, ...given }).refuse(call, status);
    const { lines, outcome } = bench.lifecycle('component-start', { component: 'mshv' });
    return { ret: outcome?.ret, last: lines.at(-1) };
  };

  it('the capabilities: fatal on L1VH alone', () => {
    assert.equal(start({}, 'GET_PARTITION_PROPERTY_EX', 'OPERATION_DENIED').ret, 0);
    const l1vh = start({ role: 'l1vh', vmbus: true }, 'GET_PARTITION_PROPERTY_EX', 'OPERATION_DENIED');
    assert.equal(l1vh.ret, EIO);
    assert.match(l1vh.last ?? '', /W SCONTROL 0x0/);
  });

  it('the scheduler: unwinds the SynIC', () => {
    const { ret, last } = start({}, 'GET_SYSTEM_PROPERTY', 'OPERATION_DENIED');
    assert.equal(ret, EIO);
    assert.match(last ?? '', /W SCONTROL 0x0/);
  });

  it('statistics: those mapped before are taken back, then pages of the root scheduler and the SynIC', () => {
    const bench = new Bench({ ...ROOT, debugfs: true, scheduler: 'root', processors: 2 });
    bench.refuse('MAP_STATS_PAGE', 'OPERATION_DENIED', { after: 4 });
    const { lines, outcome } = bench.lifecycle('component-start', { component: 'mshv' });
    assert.equal(outcome?.ret, EIO);
    const statistics = lines.filter((line) => line.includes('STATS')).map((line) => line.split(' ')[3]);
    // The hypervisor, two processors, the partition's own and its parent's, of which the last is refused.
    assert.deepEqual(statistics, [...Array(5).fill('MAP_STATS_PAGE'), ...Array(4).fill('UNMAP_STATS_PAGE')]);
    assert.match(lines.at(-1) ?? '', /W SCONTROL 0x0/);
    assert.equal(bench.cell('driver.mshv.schedulerHotplug'), 0n);
    const vps = new Bench({ ...ROOT, debugfs: true, cpus: 2 }).refuse('MAP_STATS_PAGE', 'OPERATION_DENIED', {
      after: 7,
    });
    const failed = vps.lifecycle('component-start', { component: 'mshv' });
    assert.equal(failed.outcome?.ret, EIO);
    const left = failed.lines.filter((line) => line.includes('UNMAP_STATS_PAGE')).length;
    // Both of VP 0 and of the partition, the processors, the hypervisor.
    assert.equal(left, 7);
  });

  it('a kernel that cannot have partitions: ENODEV, with nothing asked', () => {
    const bench = new Bench({ ...ROOT, role: 'guest', vmbus: true });
    const { lines, outcome } = bench.lifecycle('component-start', { component: 'mshv' });
    assert.deepEqual([lines, outcome?.ret], [[], ENODEV]);
  });
});

describe('MSHV_RUN_VP that is refused', () => {
  it('registers that cannot be written or read end it', () => {
    assert.equal(run(withVp().refuse('SET_VP_REGISTERS', 'INVALID_VP_INDEX')).outcome?.ret, EINVAL);
    for (const [call, after] of [
      ['SET_VP_REGISTERS', 1],
      ['GET_VP_REGISTERS', 0],
    ] as const) {
      const bench = withVp().refuse(call, 'OPERATION_DENIED', { after });
      run(bench);
      assert.equal(wake(bench, true)?.outcome.ret, EIO);
    }
  });

  it('a dispatch, or the suspension that is to be lifted', () => {
    const root = () => withVp({ scheduler: 'root' });
    assert.equal(run(root().refuse('DISPATCH_VP', 'OPERATION_DENIED')).outcome?.ret, EIO);
    assert.equal(run(root().refuse('SET_VP_REGISTERS', 'OPERATION_DENIED')).outcome?.ret, EIO);
  });

  it('memory that cannot be mapped makes the stop user space’s', () => {
    const bench = withVp();
    giveMemory(bench);
    run(bench);
    bench.refuse('MAP_GPA_PAGES', 'OPERATION_DENIED');
    bench.intercept({ vp: VP_REF, type: GPA_INTERCEPT, payload: new Uint8Array(80) });
    assert.equal(wake(bench)?.outcome.ret, 0);
  });

  it('Linux 6.16 gives every stop to user space, also for memory that is there', () => {
    const bench = withVp({ kernel: 'upstream-6.16' });
    giveMemory(bench);
    run(bench);
    bench.intercept({ vp: VP_REF, type: GPA_INTERCEPT, payload: new Uint8Array(80) });
    const woken = wake(bench);
    assert.deepEqual([woken?.lines, woken?.outcome.ret], [[], 0]);
  });

  it('UNMAPPED_GPA and UNACCEPTED_GPA are always user space’s', () => {
    for (const type of [0x8000_0000, 0x8000_0003]) {
      const bench = withVp();
      giveMemory(bench);
      run(bench);
      bench.intercept({ vp: VP_REF, type, payload: new Uint8Array(80) });
      const woken = wake(bench);
      assert.deepEqual([woken?.lines, woken?.outcome.ret], [[], 0]);
    }
  });
});

describe('calls on state and memory that are refused', () => {
  const stateArg = (type: number) => {
    const arg = new Uint8Array(16);
    arg[0] = type;
    new DataView(arg.buffer).setUint32(4, 4096, true);
    return arg;
  };
  const get = (bench: Bench, type: number) =>
    bench.ioctl({ handle: VP, op: request('vp', 'MSHV_GET_VP_STATE'), arg: stateArg(type), pid: 7 });

  it('the properties of XSAVE, or the state itself', () => {
    for (const after of [0, 1]) {
      const bench = activePartition({}, true, 1).refuse('GET_PARTITION_PROPERTY', 'ACCESS_DENIED', { after });
      assert.equal(get(bench, 1).outcome?.ret, EIO);
    }
    const { outcome } = get(activePartition({}, true, 1).refuse('GET_VP_STATE', 'ACCESS_DENIED'), 0);
    assert.deepEqual([outcome?.ret, outcome?.out?.data, outcome?.out?.arg?.[5]], [EIO, undefined, 0x10]);
  });

  it('state that wants memory is asked for again after a page', () => {
    const bench = activePartition({}, true, 1).refuse('GET_VP_STATE', 'INSUFFICIENT_MEMORY');
    assert.deepEqual(hypercallsOf(get(bench, 0).lines), [
      'GET_VP_STATE INSUFFICIENT_MEMORY',
      'DEPOSIT_MEMORY SUCCESS 1',
      'GET_VP_STATE SUCCESS',
    ]);
  });

  it('access states: nothing is given back', () => {
    const arg = new Uint8Array(32);
    const view = new DataView(arg.buffer);
    view.setBigUint64(8, 1n, true);
    view.setBigUint64(24, 0x1000n, true);
    const op = request('partition', 'MSHV_GET_GPAP_ACCESS_BITMAP');
    const bench = activePartition().refuse('GET_GPA_PAGES_ACCESS_STATES', 'OPERATION_DENIED');
    assert.deepEqual(bench.ioctl({ handle: PARTITION, op, arg }).outcome?.ret, EIO);
  });

  it('the port of a doorbell: no connection is made', () => {
    const arg = new Uint8Array(32);
    new DataView(arg.buffer).setBigUint64(8, 0x1000n, true);
    const op = request('partition', 'MSHV_IOEVENTFD');
    const bench = activePartition().refuse('CREATE_PORT', 'INVALID_PORT_ID');
    const { lines, outcome } = bench.ioctl({ handle: PARTITION, op, arg });
    assert.deepEqual([lines.length, outcome?.ret], [1, EINVAL]);
  });

  it('a passed-through call goes on where it stopped, until memory or patience ends', () => {
    const op = request('partition', 'MSHV_ROOT_HVCALL');
    const arg = new Uint8Array(32);
    const view = new DataView(arg.buffer);
    [0x50, 2, 24, 32].forEach((value, i) => {
      view.setUint16(i * 2, value, true);
    });
    view.setBigUint64(16, 0x1000n, true);
    view.setBigUint64(24, 0x2000n, true);
    const call = { handle: VP, op, arg, in: new Uint8Array(24), pid: 7 };
    const bench = activePartition({}, true, 1);
    bench.refuse('GET_VP_REGISTERS', 'SUCCESS', { reps: 1 });
    bench.refuse('GET_VP_REGISTERS', 'INSUFFICIENT_MEMORY', { after: 1, reps: 1 });
    const { lines, outcome } = bench.ioctl(call);
    assert.deepEqual(hypercallsOf(lines), [
      'GET_VP_REGISTERS SUCCESS 1',
      'GET_VP_REGISTERS INSUFFICIENT_MEMORY 1',
      'DEPOSIT_MEMORY SUCCESS 1',
      'GET_VP_REGISTERS SUCCESS 2',
    ]);
    assert.deepEqual([outcome?.ret, outcome?.out?.arg?.[2]], [0, 2]);
    const gone = activePartition({}, true, 1).refuse('GET_VP_REGISTERS', '#UD').ioctl(call);
    assert.equal(gone.outcome?.ret, EOPNOTSUPP);
    const old = activePartition({ kernel: 'upstream-6.16' }, true, 1);
    assert.equal(old.refuse('GET_VP_REGISTERS', 'INSUFFICIENT_MEMORY').ioctl(call).outcome?.ret, -11);
  });
});

describe('a VP that has stopped', () => {
  it('keeps its message for the next call where the one that ran it was interrupted', () => {
    const bench = withVp();
    run(bench);
    assert.equal(wake(bench, true)?.outcome.ret, -4);
    assert.equal(bench.cell('partition[2].vp[0].suspend.explicit'), 1n);
    bench.ioctl({ handle: VP, op: RUN, pid: 7 });
    bench.intercept({ vp: VP_REF, type: HALT, payload: new Uint8Array(40) });
    assert.equal(wake(bench)?.outcome.ret, 0);
  });
});
