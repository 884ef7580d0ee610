import { workerData } from 'node:worker_threads';
import { Arena } from '../native/arena.ts';
import { syscall3 } from '../native/libc.ts';
import { NR } from '../native/numbers.ts';
import { ANSWER, VpChannel } from './channel.ts';
import { MappedMemory, MemoryMap } from './memory-map.ts';
import type { VpData } from './messages.ts';
import { Processor } from './processor.ts';

/** The thread of one VP: runs the guest when it is asked to, hands back what stopped it. */
const { memory, channel: shared, index, wake } = workerData as VpData;
const channel = new VpChannel(shared);
const processor = new Processor(channel, new MappedMemory(new MemoryMap(memory)), index);
const one = new Arena(8);
one.setU64(0, 1);

for (;;) {
  channel.waitForRun();
  if (channel.word('answer') === ANSWER.quit) break;
  processor.run();
  channel.end();
  syscall3(NR.write, wake, one.address, one.bytes.length);
}
