import { messageTypes } from '../abi/index.ts';
import type { JsonObject } from '../trace/text/json.ts';
import type { Bench } from './bench.testing.ts';
import { activePartition, memoryArg, PARTITION, request, u32, VP } from './guest.testing.ts';

/** What tests of MSHV_RUN_VP share, whoever schedules. */

export const RUN = request('vp', 'MSHV_RUN_VP');
export const HALT = messageTypes.number('HVMSG_X64_HALT');
export const GPA_INTERCEPT = messageTypes.number('HVMSG_GPA_INTERCEPT');
export const VP_REF = { partition: 2n, vp: 0 };

export const run = (bench: Bench) => bench.ioctl({ handle: VP, op: RUN, pid: 7 });
export const wake = (bench: Bench, signal = false) => bench.wake({ handle: VP, op: RUN, pid: 7 }, signal);

/** mshv is loaded, and there is a VP that never ran. */
export function withVp(given: JsonObject = {}): Bench {
  const bench = activePartition(given, false);
  bench.lifecycle('component-start', { component: 'mshv' });
  bench.ioctl({ handle: PARTITION, op: request('partition', 'MSHV_INITIALIZE_PARTITION'), pid: 7 });
  bench.ioctl({ handle: PARTITION, op: request('partition', 'MSHV_CREATE_VP'), arg: u32(0), pid: 7 });
  return bench;
}

/** 3 MiB of memory from frame 0 on, readable and writable. */
export function giveMemory(bench: Bench) {
  const arg = memoryArg({ frame: 0n, size: 0x30_0000n, flags: 1 });
  return bench.ioctl({ handle: PARTITION, op: request('partition', 'MSHV_SET_GUEST_MEMORY'), arg, pid: 7 });
}
