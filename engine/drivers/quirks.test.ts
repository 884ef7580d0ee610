/** Quirks with their switch on and off (docs/engine.md); the driver as it is has them on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { QuirkName } from '../trace/quirks.ts';
import { activePartition, hypercallsOf, memoryArg, PARTITION, request, u32 } from './guest.testing.ts';
import { played, scenario } from './scenario.testing.ts';

const quirk = (name: QuirkName, on: boolean) => ({ quirks: { [name]: on } });
const CREATE_VP = { handle: PARTITION, op: request('partition', 'MSHV_CREATE_VP'), arg: u32(0), pid: 7 };

describe('a quirk', () => {
  it('create-vp-deposits-first: the pages stay where the call failed; without it nothing is asked', () => {
    const created = (on: boolean) => {
      const bench = activePartition(quirk('create-vp-deposits-first', on), false);
      const { lines, outcome } = bench.ioctl(CREATE_VP);
      return [hypercallsOf(lines), outcome?.ret];
    };
    assert.deepEqual(created(true), [['DEPOSIT_MEMORY SUCCESS 90', 'CREATE_VP INVALID_PARTITION_STATE'], -5]);
    assert.deepEqual(created(false), [[], -22]);
  });

  it('unmap-after-finalize: the hypervisor refuses; without it memory goes first', () => {
    const closed = (on: boolean) => {
      const bench = activePartition({ ...quirk('unmap-after-finalize', on), mmuNotifier: false });
      const arg = memoryArg({ size: 0x1000n, flags: 1 });
      bench.ioctl({ handle: PARTITION, op: request('partition', 'MSHV_SET_GUEST_MEMORY'), arg, pid: 7 });
      const { lines } = bench.fd({ what: 'close', fd: 4, pid: 7, handle: PARTITION, ret: 0 });
      return hypercallsOf(lines).slice(0, 2);
    };
    assert.deepEqual(closed(true), ['FINALIZE_PARTITION SUCCESS', 'UNMAP_GPA_PAGES INVALID_PARTITION_STATE']);
    assert.deepEqual(closed(false), ['UNMAP_GPA_PAGES SUCCESS 1', 'FINALIZE_PARTITION SUCCESS']);
  });

  it('unhandled-message-blocks-slot: the next one waits for good; without it both are taken', () => {
    const message =
      '{"t":"1us","kind":"message","what":"deliver","component":"hypervisor","cpu":0,"sint":0,"slot":{"message_type":"HVMSG_ASYNC_CALL_COMPLETION","payload_size":24,"payload":{"partition_id":9}}}';
    const stop = '{"t":"2us","kind":"intercept","vp":"9.0","type":"HVMSG_X64_HALT"}';
    const clears = (on: boolean) => {
      const header = JSON.stringify({ profile: quirk('unhandled-message-blocks-slot', on) });
      const start = '{"t":"0","kind":"lifecycle","what":"component-start","component":"mshv"}';
      const sample = scenario('quirk', [header, start, message, stop].join('\n'));
      const { events } = played(sample, sample.header.profile);
      return events.filter((event) => event.kind === 'message' && event.what === 'clear').length;
    };
    assert.deepEqual([clears(true), clears(false)], [0, 1]);
  });
});
