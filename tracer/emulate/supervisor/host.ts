import type { LiveEvent, LiveMachine, LiveResult, LiveReturn } from '../../../engine/replay/live.ts';
import type { IoctlOut } from '../../../engine/trace/event.ts';
import type { Handle } from '../../../engine/trace/handle.ts';
import type { Seq, TimeNs } from '../../../engine/trace/position.ts';
import type { ClientMemory } from '../../process/client-memory.ts';
import type { Capture } from '../capture/capture.ts';
import type { FdWindow } from '../filter/window.ts';
import type { Listener, Notification } from '../notify/listener.ts';
import type { DeviceFile, DeviceFiles } from './device-file.ts';
import type { Eventfds } from './eventfds.ts';
import type { Guests } from './guests.ts';
import type { LackHost } from './lacks.ts';
import type { ClientProcess } from './process.ts';

/** What every event of the program has besides its kind and what belongs to it. */
export interface Stamp {
  readonly t: TimeNs;
  readonly pid: number;
  readonly tid: number;
  readonly component: 'vmm';
  readonly provenance: 'emulated';
}

/** One call of the program, by a thread of a process. */
export interface Call extends Notification {
  readonly process: ClientProcess;
}

/** Puts the answers of a call where its caller wants them; false where the memory is not there. */
export type Give = (out: IoctlOut) => boolean;

/** What the handlers of calls work with. */
export interface Host extends LackHost {
  readonly live: LiveMachine;
  readonly listener: Listener;
  readonly memory: ClientMemory;
  readonly files: DeviceFiles;
  readonly guests: Guests;
  readonly eventfds: Eventfds;
  readonly window: FdWindow;
  /** The recording is to be executed again. */
  readonly capture: Capture | undefined;
  now(): TimeNs;
  /** The handle of the next open of the device. */
  nextDevice(): Handle;
  /** Ends a call with a new descriptor, which the engine has given out already. */
  deliver(call: Call, file: DeviceFile, fd: number, closeOnExec: boolean): void;
  /** Calls that returned, of whatever thread. */
  returned(returns: readonly LiveReturn[]): void;
  /** A call that has not returned: `finish` ends it when it does. */
  wait(seq: Seq, call: Call, vp: Handle, finish: (ended: LiveReturn) => void, give: Give): void;
  /** After a call: guests that may run now do so, unless a signal ends that call before. */
  letGuestsGoOn(call: Call): void;
  /** Feeds a call; `give` puts what it comes to into the caller's memory. */
  feedCall(event: LiveEvent, give: Give): LiveResult;
}

export function stamp(host: Host, process: ClientProcess, tid = process.pid): Stamp {
  return { t: host.now(), pid: process.pid, tid, component: 'vmm', provenance: 'emulated' };
}

/** A remark in the recording about what no event can say. */
export function remark(host: Host, process: ClientProcess, tid: number, text: string): void {
  host.live.feed({ ...stamp(host, process, tid), kind: 'mark', what: 'note', text });
}
