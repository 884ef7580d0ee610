import type { Worker } from 'node:worker_threads';
import { Poll } from '../../native/poll.ts';
import { Listener } from '../notify/listener.ts';

/** How often is looked for calls. */
const LOOK_MS = 1;
/** Calls that are let through at a time: processes of the program that are still there may never stop making them. */
const MOST_CALLS = 64;

/**
 * Ends the launcher's thread when nobody answers its calls any more: freeing its memory is one that the filter
 * hands over, so it would wait for ever, and this process for it. The program has been killed if it was started.
 */
export async function letGo(launcher: Worker, listenerFd: number): Promise<void> {
  const [listener, poll] = [new Listener(listenerFd), new Poll()];
  poll.add(listenerFd);
  const timer = setInterval(() => {
    for (let calls = 0; calls < MOST_CALLS && poll.wait(LOOK_MS) && poll.isReadable(listenerFd); calls++) {
      const call = listener.receive();
      if (call !== undefined) listener.proceed(call.id);
    }
  }, LOOK_MS);
  await launcher.terminate();
  clearInterval(timer);
}
