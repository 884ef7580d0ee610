/** The seed's tear-down in the life of a host: an L1VH that runs partitions for ten thousand events, then kexec. */

import type { Recording } from '../mutation/corpus.ts';
import { record } from './traces.testing.ts';

const PROFILE = {
  kernel: 'upstream-7.0',
  role: 'l1vh',
  rebootNotifier: 'always',
  cpus: 2,
  synicPolicy: 'strict-transition',
};
/** Events that the engine makes of a partition's life below, its stimuli included. */
const EVENTS_A_PARTITION = 36;

export function longTeardown(events: number): Recording {
  const stimuli: object[] = [];
  let t = 0;
  const add = (event: object): void => {
    t += 10;
    stimuli.push({ t: `${t}us`, ...event });
  };
  for (const component of ['arch', 'vmbus', 'mshv'])
    add({ kind: 'lifecycle', what: 'component-start', component });
  add({ kind: 'fd', what: 'open', pid: 100, tid: 100, path: '/dev/mshv', handle: 'device', ret: 3 });
  for (let i = 0; i * EVENTS_A_PARTITION < events; i++) {
    const handle = `partition:${2 + i}`;
    const thread = { pid: 100, tid: 100 + (i % 4) };
    add({ kind: 'ioctl', ...thread, handle: 'device', fd: 3, op: 'MSHV_CREATE_PARTITION', arg: {} });
    add({ kind: 'ioctl', ...thread, handle, fd: 4, op: 'MSHV_INITIALIZE_PARTITION' });
    for (let vp = 0; vp < 2; vp++)
      add({ kind: 'ioctl', ...thread, handle, fd: 4, op: 'MSHV_CREATE_VP', arg: { vp_index: vp } });
    for (let vp = 0; vp < 2; vp++)
      add({ kind: 'fd', what: 'close', ...thread, fd: 5 + vp, handle: `vp:${2 + i}.${vp}` });
    add({ kind: 'fd', what: 'close', ...thread, fd: 4, handle });
    add({ kind: 'msr', dir: 'read', cpu: i % 2, component: 'vmbus', msr: 'HV_X64_MSR_SINT2' });
  }
  add({ kind: 'lifecycle', what: 'kexec' });
  return record(PROFILE, stimuli);
}
