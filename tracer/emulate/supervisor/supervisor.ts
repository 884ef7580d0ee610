import { createDrivers, isInitLine } from '../../../engine/drivers/index.ts';
import { createHypervisor } from '../../../engine/hypervisor/index.ts';
import {
  type LiveEvent,
  LiveMachine,
  type LiveResult,
  type LiveReturn,
} from '../../../engine/replay/live.ts';
import type { Handle } from '../../../engine/trace/handle.ts';
import { type Seq, type TimeNs, timeNs } from '../../../engine/trace/position.ts';
import type { Profile } from '../../../engine/trace/profile.ts';
import { ERRNO, NR } from '../../native/numbers.ts';
import { Poll } from '../../native/poll.ts';
import { ClientMemory } from '../../process/client-memory.ts';
import { linkOf } from '../../process/proc.ts';
import { Capture } from '../capture/capture.ts';
import type { FdWindow } from '../filter/window.ts';
import type { Keeper } from '../keeper.ts';
import { lostPages } from '../memory/bus-guard.ts';
import { dropMovedOf } from '../memory/moved.ts';
import { Listener } from '../notify/listener.ts';
import { guestClock } from '../vp/clock.ts';
import type { VpThreadData } from '../vp/messages.ts';
import { close, closeDescriptor, closeRange, duplicate, settleDescriptors } from './descriptors.ts';
import { type DeviceFile, DeviceFiles } from './device-file.ts';
import { Eventfds } from './eventfds.ts';
import { adopt, adoptChildren, endProcess } from './family.ts';
import { Guests } from './guests.ts';
import type { Call, Give, Host } from './host.ts';
import { ioctl } from './ioctl.ts';
import { Kicks, SIGNALS } from './kicks.ts';
import { Lacks, type Meets } from './lacks.ts';
import { map } from './map.ts';
import { showMessage } from './message-page.ts';
import { open } from './open.ts';
import { type ClientProcess, ClientProcesses } from './process.ts';
import type { Recorder } from './recorder.ts';
import { status } from './stat.ts';
import { remap, unmap } from './unmap.ts';
import { VpThreads } from './vp-threads.ts';
import { SIGNAL_MS, Waits } from './waits.ts';
import { Wake } from './wake.ts';

/** The longest wait; a commit that is due sooner ends it. */
const IDLE_MS = 50;
const NS_PER_MS = 1e6;
/** Without a call for so long, what waits is written. */
const WRITE_MS = 1;
/** How long a process that has ended is kept at most. */
const REAP_MS = 5;

const OPENS: ReadonlySet<number> = new Set([NR.open, NR.openat, NR.openat2, NR.creat]);

const LOOKS: ReadonlySet<number> = new Set([
  ...[NR.stat, NR.lstat, NR.fstat, NR.newfstatat, NR.statx, NR.access, NR.faccessat, NR.faccessat2],
]);

const ON_DESCRIPTORS: ReadonlyMap<number, (host: Host, call: Call) => void> = new Map([
  [NR.close, close],
  [NR.close_range, closeRange],
  [NR.dup, duplicate],
  [NR.dup2, duplicate],
  [NR.dup3, duplicate],
  [NR.fcntl, duplicate],
]);

export interface SupervisorOptions {
  readonly listener: number;
  readonly window: FdWindow;
  readonly profile: Profile;
  readonly recorder: Recorder;
  /** How often the recorder wants the machine's state; as seldom as a replay where it does not say. */
  readonly checkpointEvents?: number;
  readonly keeper: Keeper;
  /** eventfd by which threads of VPs wake this one. */
  readonly wake: number;
  /** Starts a thread for VPs. */
  readonly startVp: (data: VpThreadData) => void;
}

/** Receives the program's calls, steps the engine, answers. Nothing else touches the engine. */
export class Supervisor implements Host {
  readonly live: LiveMachine;
  readonly listener: Listener;
  readonly memory = new ClientMemory();
  readonly files = new DeviceFiles();
  readonly guests: Guests;
  readonly eventfds: Eventfds;
  readonly window: FdWindow;
  readonly threads: VpThreads;
  readonly lacking = new Lacks();
  readonly capture: Capture | undefined;
  readonly #recorder: Recorder;
  readonly #keeper: Keeper;
  readonly #processes = new ClientProcesses();
  readonly #poll = new Poll();
  readonly #waits: Waits;
  readonly #kicks: Kicks;
  readonly #wake: Wake;
  readonly #start = process.hrtime.bigint();
  readonly #clock: { now(): TimeNs };
  /** Of the call that is being fed. */
  #give: Give | undefined;
  #devices = 0;
  #reapedAt = 0;

  constructor(options: SupervisorOptions) {
    this.window = options.window;
    this.listener = new Listener(options.listener);
    this.#recorder = options.recorder;
    this.#keeper = options.keeper;
    this.#wake = new Wake(options.wake);
    this.threads = new VpThreads(options.startVp, options.wake, this.#start);
    const { instructionNs } = options.profile;
    const hostTime = guestClock(this.#start);
    this.capture = instructionNs === 0 ? undefined : new Capture(instructionNs, hostTime);
    this.#clock = this.capture?.clock ?? { now: () => timeNs(hostTime()) };
    const { sink } = options.recorder;
    this.live = new LiveMachine(
      options.profile,
      { hypervisor: createHypervisor(), drivers: createDrivers() },
      {
        ...sink,
        step: (step, machine) => {
          sink.step(step, machine);
          this.guests.observe(step.event);
          const { event } = step;
          if (event.kind === 'message' && event.vp?.partition !== undefined)
            showMessage(this.live, this.guests.memoryOf(event.vp.partition), event);
          this.eventfds.observe(step.event);
        },
      },
      (event) => (this.#waits.giveOf(event.seq) ?? this.#give)?.(event.out ?? {}) ?? true,
      options.checkpointEvents,
    );
    this.guests = new Guests(this);
    this.#waits = new Waits(this);
    this.#kicks = new Kicks(this.listener, this.#waits);
    this.eventfds = new Eventfds(this.#poll);
    this.#poll.add(this.listener.fd);
    this.#poll.add(options.wake);
    this.#boot();
  }

  /** Serves until nobody is left who could call. */
  run(): void {
    for (;;) {
      const some = this.#poll.wait(this.#someWait ? 0 : this.#longestMs());
      if (some && this.#poll.isReadable(this.#wake.fd)) {
        this.#wake.clear();
        this.guests.collect();
        this.#waits.endStopped();
      }
      if (some) this.#takeSignals();
      const calls = some && this.#poll.isReadable(this.listener.fd);
      // A program that never stops calling does not keep those that have ended.
      if (some && (!calls || performance.now() - this.#reapedAt >= REAP_MS)) this.#reap();
      if (calls) this.#serve();
      else if (some && this.#poll.isHungUp(this.listener.fd)) break;
      this.#expire();
      this.#tellLost();
      if (!calls) this.#kicks.letGo();
      this.#waits.lookForSignals();
      if (this.capture !== undefined) this.#takeTurn();
      if (some || this.#someWait) this.#recorder.flushWhenDue();
      else this.#recorder.flush();
    }
    this.guests.end();
  }

  /** A guest that could go on waits for its turn. */
  get #someWait(): boolean {
    return this.guests.turns?.someWait === true;
  }

  /** Guests that run one at a time, here: one does so for a while. */
  #takeTurn(): void {
    this.guests.step();
    this.guests.turns?.take();
    this.guests.step();
  }

  lacks(who: Meets, text: string): void {
    this.lacking.note(this.live, this.now(), who, text);
  }

  /** A file that backs guest memory has become smaller: with the driver the guest's access would be an exit, or an old page. */
  #tellLost(): void {
    const { length } = lostPages();
    if (length > 0)
      this.lacks(
        { component: 'hypervisor' },
        `${length} pages of guest memory whose file is shorter now: zero`,
      );
  }

  now(): TimeNs {
    return this.#clock.now();
  }

  nextDevice(): Handle {
    this.#devices++;
    return { kind: 'device', open: this.#devices };
  }

  deliver(call: Call, file: DeviceFile, fd: number, closeOnExec: boolean): void {
    const isFree =
      fd >= this.window.from && fd < this.window.to && linkOf(call.process.pid, fd) === undefined;
    const added = isFree
      ? this.listener.addFd(call.id, file.memfd, fd, { closeOnExec, answers: true })
      : -ERRNO.EMFILE;
    if (added >= 0) return;
    closeDescriptor(this, call.process, fd, call.tid);
    this.listener.answer(call.id, added);
  }

  returned(returns: readonly LiveReturn[]): void {
    this.#waits.returned(returns);
  }

  wait(seq: Seq, call: Call, vp: Handle, finish: (ended: LiveReturn) => void, give: Give): void {
    this.#waits.add(seq, { call, vp, finish, give });
  }

  letGuestsGoOn(call: Call): void {
    this.#waits.endKicked(call);
    this.guests.step();
  }

  feedCall(event: LiveEvent, give: Give): LiveResult {
    this.#give = give;
    const result = this.live.feed(event);
    this.#give = undefined;
    return result;
  }

  /** Timers of guests have expired. */
  #expire(): void {
    const now = this.now();
    const next = this.guests.nextExpiry();
    if (next === undefined || next > now) return;
    this.guests.expire(now);
    this.guests.step();
  }

  #longestMs(): number {
    const next = this.guests.nextExpiry();
    const longest = this.#longestIdleMs();
    return next === undefined ? longest : Math.min(longest, Math.max(0, (next - this.now()) / NS_PER_MS));
  }

  #longestIdleMs(): number {
    if (this.#recorder.hasWaiting) return WRITE_MS;
    const some = this.#waits.some || this.#kicks.some;
    return some ? SIGNAL_MS : Math.min(IDLE_MS, this.#recorder.dueMs ?? IDLE_MS);
  }

  /** The host as the program finds it: the kernel is up, its drivers are loaded. */
  #boot(): void {
    const { vmbus } = this.live.machine.profile;
    for (const component of vmbus ? ['arch', 'vmbus', 'mshv'] : ['arch', 'mshv']) {
      this.live.feed({
        kind: 'lifecycle',
        what: 'component-start',
        component,
        t: timeNs(0),
        provenance: 'emulated',
      });
    }
  }

  /** The program has signalled eventfds that stand for interrupts. */
  #takeSignals(): void {
    for (const { pid, fd, value, partition, gsi } of this.eventfds.signalled()) {
      this.guests.turns?.settle();
      if (isInitLine(this.live.machine, partition, gsi)) this.guests.stopAll(partition);
      const handle = { kind: 'eventfd', fd } as const;
      const event = {
        t: this.now(),
        pid,
        tid: pid,
        component: 'vmm',
        provenance: 'emulated',
        fd,
        handle,
      } as const;
      this.returned(this.live.feed({ ...event, kind: 'fd', what: 'eventfd-signal', value }).returned);
      this.guests.step();
    }
  }

  #serve(): void {
    const notification = this.listener.receive();
    if (notification === undefined) return;
    const { process: client, isNew } = this.#processes.ofThread(notification.tid);
    // The launcher's thread has the filter as well.
    if (client.pid === process.pid) {
      this.listener.proceed(notification.id);
      return;
    }
    this.guests.turns?.settle();
    this.capture?.programRuns();
    if (isNew) {
      this.#added(client);
      adopt(this, client);
    }
    settleDescriptors(this, client);
    const call = { ...notification, process: client };
    this.#kicks.meet(call);
    this.#handle(call);
  }

  #handle(call: Call): void {
    if (call.nr === NR.ioctl) {
      ioctl(this, call);
    } else if (OPENS.has(call.nr)) {
      open(this, call);
    } else if (LOOKS.has(call.nr)) {
      status(this, call);
    } else if (call.nr === NR.munmap) {
      unmap(this, call);
    } else if (call.nr === NR.mremap) {
      remap(this, call);
    } else if (SIGNALS.has(call.nr)) {
      this.#kicks.take(call);
    } else {
      const onDescriptors = ON_DESCRIPTORS.get(call.nr);
      if (onDescriptors !== undefined) {
        this.#meetChildren();
        onDescriptors(this, call);
        return;
      }
      if (call.nr === NR.mmap) {
        map(this, call);
        return;
      }
      if (call.nr === NR.execve || call.nr === NR.execveat) call.process.replaced = true;
      else call.process.forked = true;
      this.listener.proceed(call.id);
    }
  }

  #added(client: ClientProcess): void {
    this.#keeper.watch(client.pid);
    if (client.pidfd >= 0) this.#poll.add(client.pidfd);
  }

  /** Before a file may be released: processes that were made and have it open too. */
  #meetChildren(): void {
    for (const client of [...this.#processes.all()]) {
      if (client.forked) adoptChildren(this, this.#processes, client, (child) => this.#added(child));
    }
  }

  #reap(): void {
    this.#reapedAt = performance.now();
    this.#processes.forgetThreads(this.#reapedAt);
    const ended = [...this.#processes.all()].filter(
      ({ pidfd }) => pidfd >= 0 && this.#poll.isReadable(pidfd),
    );
    if (ended.length === 0) return;
    this.guests.turns?.settle();
    this.#meetChildren();
    for (const client of ended) {
      this.#poll.remove(client.pidfd);
      this.#waits.abandon(client);
      endProcess(this, client);
      this.#processes.remove(client);
      dropMovedOf(client.pid);
      this.#keeper.forget(client.pid);
    }
  }
}
