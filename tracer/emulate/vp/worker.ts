import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Arena } from '../../native/arena.ts';
import { syscall3 } from '../../native/libc.ts';
import { NR } from '../../native/numbers.ts';
import { ANSWER, VpChannel } from './channel.ts';
import { guestClock } from './clock.ts';
import { LongRun } from './long-run.ts';
import { MappedMemory, MemoryMap } from './memory-map.ts';
import type { VpData, VpThreadData } from './messages.ts';

/** A thread for VPs: goes on with the guest of the one that it has when it is asked to, until it is given another. */
const { port, gate, wake, start } = workerData as VpThreadData;
const given = new Int32Array(gate);
const one = new Arena(8);
one.setU64(0, 1);

function serve({ memory, channel: shared }: VpData): void {
  const channel = new VpChannel(shared);
  const guest = new LongRun(channel, new MappedMemory(new MemoryMap(memory)), guestClock(start));
  for (;;) {
    channel.waitForRun();
    if (channel.word('answer') === ANSWER.quit) {
      channel.end();
      return;
    }
    guest.run();
    channel.end();
    syscall3(NR.write, wake, one.address, one.bytes.length);
  }
}

for (let taken = 0; ; taken++) {
  Atomics.wait(given, 0, taken);
  const data = receiveMessageOnPort(port)?.message as VpData | undefined;
  if (data === undefined) break;
  serve(data);
}
