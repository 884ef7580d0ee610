import { closeSync, openSync, readSync } from 'node:fs';
import type { Dialect } from '../../../engine/trace/event.ts';
import { ARCH_X86_64, NR } from '../../native/numbers.ts';
import { ClientMemory } from '../../process/client-memory.ts';
import { descriptorsOf, linkOf } from '../../process/proc.ts';
import type { RingWriter } from '../ring/ring.ts';
import type { PlainObject } from '../ring/wire.ts';
import { closed, DESCRIPTOR_CALLS, shared } from './descriptor-calls.ts';
import { type Call, type Finish, type Host, stamp } from './host.ts';
import { adopt, ioctl } from './ioctl-calls.ts';
import { FileNumbers, type TracedProcess } from './open-files.ts';
import { Outbox } from './outbox.ts';

export interface CaptureOptions {
  readonly ring: RingWriter;
  /** How ioctls are read until one tells better. */
  readonly dialect: Dialect;
  /** The user has said which it is. */
  readonly isGiven: boolean;
  /** Time 0 of the trace, on the clock of process.hrtime (CLOCK_MONOTONIC), in ns. */
  readonly start: bigint;
}

/** What becomes of calls and processes in the trace. */
export class Capture implements Host {
  readonly memory = new ClientMemory();
  readonly numbers = new FileNumbers();
  readonly processes = new Map<number, TracedProcess>();
  dialect: Dialect;
  readonly #isGiven: boolean;
  readonly #outbox: Outbox;
  readonly #start: bigint;
  #learnt: Dialect | undefined;

  constructor(options: CaptureOptions) {
    this.dialect = options.dialect;
    this.#isGiven = options.isGiven;
    this.#start = options.start;
    this.#outbox = new Outbox(options.ring);
  }

  /** A thread is about to make a call: what is to be told of its result; undefined where that is none of ours. */
  enter(call: Call): Finish | undefined {
    if (call.arch !== ARCH_X86_64) return undefined;
    return call.nr === NR.ioctl ? ioctl(this, call) : DESCRIPTOR_CALLS.get(call.nr)?.(this, call);
  }

  /** A process has been made; it has open what its parent has. */
  forked(child: TracedProcess, parent: TracedProcess | undefined): void {
    this.processes.set(child.pid, child);
    if (parent === undefined) return;
    child.mapped = [...parent.mapped];
    for (const fd of [...parent.files.keys()].sort((a, b) => a - b)) {
      const file = parent.files.get(fd);
      if (file !== undefined) shared(this, child, file, [fd, fd], child.pid, 'inherited');
    }
  }

  /** What a process had open before anybody looked. */
  found(pid: number): void {
    const client = this.processes.get(pid);
    if (client === undefined) return;
    for (const fd of descriptorsOf(pid)) adopt(this, client, fd, pid);
  }

  /** A process has another program: some of its descriptors were closed by that, and all its mappings. */
  replaced(client: TracedProcess): void {
    client.mapped = [];
    client.others.clear();
    for (const fd of [...client.files.keys()].sort((a, b) => a - b))
      if (linkOf(client.pid, fd) === undefined) closed(this, client, fd, client.pid);
    if (isNarrow(client.pid)) this.#mark(client, 'a 32-bit program: its calls are not recorded', client.pid);
  }

  /** A process has ended: what it had open closes, lowest first (Linux fs/file.c, close_files). */
  ended(client: TracedProcess): void {
    this.processes.delete(client.pid);
    const had = client.files.size > 0;
    for (const fd of [...client.files.keys()].sort((a, b) => a - b)) closed(this, client, fd, client.pid);
    if (had) this.event({ kind: 'lifecycle', what: 'process-exit', ...stamp(this, client, client.pid) });
  }

  now(): number {
    return Number(process.hrtime.bigint() - this.#start);
  }

  begin(event: PlainObject): number {
    return this.#outbox.begin(event);
  }

  end(id: number, answer: PlainObject): void {
    this.#outbox.end(id, answer);
  }

  event(event: PlainObject): void {
    this.#outbox.event(event);
  }

  learn(kernel: 'rfc2020' | 'upstream' | 'vtl', reason: string): void {
    // REQUEST_VERSION and the VTL driver's CHECK_EXTENSION are one number: CREATE_VTL corrects.
    if (this.#isGiven || this.#learnt === kernel || (this.#learnt !== undefined && kernel !== 'vtl')) return;
    this.#learnt = kernel;
    this.dialect = kernel;
    this.#outbox.kernel(this.now(), kernel, reason);
  }

  /** Hands over what has come together; the threads that it is about run on already. */
  flush(): void {
    this.#outbox.flush();
  }

  /** Nothing more comes. */
  finish(): void {
    this.#outbox.finish();
  }

  #mark(client: TracedProcess, text: string, tid: number): void {
    this.event({ kind: 'mark', what: 'note', ...stamp(this, client, tid), text });
  }
}

const ELF_CLASS = 4;
const ELFCLASS32 = 1;

function isNarrow(pid: number): boolean {
  const head = new Uint8Array(ELF_CLASS + 1);
  try {
    const fd = openSync(`/proc/${pid}/exe`, 'r');
    readSync(fd, head);
    closeSync(fd);
  } catch {
    return false;
  }
  return head[ELF_CLASS] === ELFCLASS32;
}
