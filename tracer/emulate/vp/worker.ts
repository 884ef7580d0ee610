import { workerData } from 'node:worker_threads';
import { Arena } from '../../native/arena.ts';
import { syscall3 } from '../../native/libc.ts';
import { NR } from '../../native/numbers.ts';
import { ANSWER, VpChannel } from './channel.ts';
import { guestClock } from './clock.ts';
import { LongRun } from './long-run.ts';
import { MappedMemory, MemoryMap } from './memory-map.ts';
import type { VpData } from './messages.ts';

/** The thread of one VP: goes on with the guest when it is asked to. */
const { memory, channel: shared, wake, start } = workerData as VpData;
const channel = new VpChannel(shared);
const guest = new LongRun(channel, new MappedMemory(new MemoryMap(memory)), guestClock(start));
const one = new Arena(8);
one.setU64(0, 1);

for (;;) {
  channel.waitForRun();
  if (channel.word('answer') === ANSWER.quit) break;
  guest.run();
  channel.end();
  syscall3(NR.write, wake, one.address, one.bytes.length);
}
