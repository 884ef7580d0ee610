import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PARTITION, request, VP } from './guest.testing.ts';
import { LiveRoot } from './live.testing.ts';

const RUN_VP = request('vp', 'MSHV_RUN_VP');
/** HVCALL_FINALIZE_PARTITION and HVCALL_DELETE_PARTITION. */
const TEAR_DOWN = ['hypercall 0x42', 'hypercall 0x43'];

/** A VP that one thread runs while another closes every descriptor. */
function closedWhileRunning(): { readonly live: LiveRoot; readonly run: number; readonly closed: number } {
  const live = new LiveRoot();
  const run = live.feed({ kind: 'ioctl', handle: VP, op: RUN_VP }).seq;
  const { seq: closed } = live.feed({
    kind: 'fd',
    what: 'close',
    handle: PARTITION,
    fd: live.descriptor('partition'),
  });
  live.feed({ kind: 'fd', what: 'close', handle: VP, fd: live.descriptor('vp') });
  return { live, run, closed };
}

const tornDown = (live: LiveRoot, since: number) =>
  live.since(since).filter((name) => TEAR_DOWN.includes(name));

describe('a file that closes while a call is made on it', () => {
  it('is released once the call has returned', () => {
    const { live, run, closed } = closedWhileRunning();
    assert.deepEqual(tornDown(live, closed), []);
    assert.equal(live.interrupt(run).find(({ seq }) => seq === run)?.ret, -4);
    assert.deepEqual(tornDown(live, closed), TEAR_DOWN);
    live.finish();
  });

  it('goes with a process that ends: what its threads were in is over', () => {
    const { live, closed } = closedWhileRunning();
    live.feed({ kind: 'lifecycle', what: 'process-exit' });
    assert.deepEqual(tornDown(live, closed), TEAR_DOWN);
    live.finish();
  });
});
