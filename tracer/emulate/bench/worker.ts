import { workerData } from 'node:worker_threads';
import { NR } from '../../native/numbers.ts';
import { Poll } from '../../native/poll.ts';
import { ClientMemory } from '../../process/client-memory.ts';
import { CONTROL } from '../launcher/messages.ts';
import { Listener } from '../notify/listener.ts';

/** The bare loop: receives, reads argument and input, writes the argument back, answers. */
const control = workerData as Int32Array<SharedArrayBuffer>;
const ARGUMENT_BYTES = 32;
const INPUT_BYTES = 48;

Atomics.wait(control, CONTROL.listener, 0);
const listener = new Listener(Atomics.load(control, CONTROL.listener));
const memory = new ClientMemory();
const poll = new Poll();
poll.add(listener.fd);
Atomics.store(control, CONTROL.serving, 1);
Atomics.notify(control, CONTROL.serving);
for (;;) {
  poll.wait(1000);
  if (poll.isReadable(listener.fd)) {
    const call = listener.receive();
    if (call === undefined) continue;
    if (call.nr === NR.ioctl) {
      const argument = memory.read(call.tid, call.args[2], ARGUMENT_BYTES) ?? new Uint8Array(0);
      const input = Number(new DataView(argument.buffer).getBigUint64(16, true));
      memory.read(call.tid, input, INPUT_BYTES);
      memory.write(call.tid, call.args[2], argument);
      listener.answer(call.id, 0);
    } else listener.proceed(call.id);
  } else if (poll.isHungUp(listener.fd)) break;
}
