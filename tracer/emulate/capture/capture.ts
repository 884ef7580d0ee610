import type { LiveMachine } from '../../../engine/replay/live.ts';
import type { TimeNs } from '../../../engine/trace/position.ts';
import { PAGE_BYTES } from './given.ts';
import { GuestClock } from './guest-clock.ts';
import { type Change, PartitionCapture } from './partition-capture.ts';

/** Where what the capture finds is told. */
export interface CaptureHost {
  readonly live: LiveMachine;
  now(): TimeNs;
}

/** A VP as the capture knows it. */
export interface Runner {
  readonly partition: bigint;
  readonly index: number;
  readonly processor: { readonly executed: number; forgetWrites(): void };
}

/** What a recording that can be executed again has besides: all that guests and the program write to guest memory, as events. */
export class Capture {
  readonly clock: GuestClock;
  readonly #partitions = new Map<bigint, PartitionCapture>();
  /** The program has made calls since the guest last stopped. */
  #mayHaveChanged = true;
  /** Pages that the program wrote while a VP ran. */
  writtenWhileRunning = 0;

  /** `hostTime`: nanoseconds. */
  constructor(instructionNs: number, hostTime: () => number) {
    this.clock = new GuestClock(instructionNs, hostTime);
  }

  of(partition: bigint): PartitionCapture {
    let capture = this.#partitions.get(partition);
    if (capture === undefined) {
      capture = new PartitionCapture();
      this.#partitions.set(partition, capture);
    }
    return capture;
  }

  /** A partition is gone, and nothing runs its guest. */
  forget(partition: bigint): void {
    this.#partitions.get(partition)?.end();
    this.#partitions.delete(partition);
  }

  /** The program has been answered: it runs. */
  programRuns(): void {
    this.#mayHaveChanged = true;
  }

  /** A VP is about to run: what the program has written since the guest stopped. */
  enter(host: CaptureHost, runner: Runner): void {
    if (!this.#mayHaveChanged) return;
    this.#mayHaveChanged = false;
    for (const change of this.of(runner.partition).takeOver()) tell(host, runner, change);
  }

  /** Something that a VP does is about to be told: before it what it wrote, and how far it has come. */
  tell(host: CaptureHost, runner: Runner): { readonly instructions: number } {
    this.#leave(host, runner);
    runner.processor.forgetWrites();
    return { instructions: runner.processor.executed };
  }

  /** A VP has run: what the guest has written, and what the program has meanwhile. */
  #leave(host: CaptureHost, runner: Runner): void {
    const changes = this.of(runner.partition).handBack();
    for (const change of changes) tell(host, runner, change);
    const meanwhile = changes.filter(({ by }) => by === 'program');
    const [first] = meanwhile;
    if (first === undefined) return;
    this.writtenWhileRunning += meanwhile.length;
    const where = `0x${(first.page * PAGE_BYTES).toString(16)}`;
    const what = meanwhile.length === 1 ? `page ${where}` : `${meanwhile.length} pages, the first ${where}`;
    const text = `the program wrote to memory of the guest while its VP ran: ${what}; the guest sees it from here on`;
    host.live.feed({ ...stamp(host, runner), kind: 'mark', what: 'note', component: 'vmm', text });
  }
}

function stamp(host: CaptureHost, { partition, index, processor }: Runner) {
  const vp = { partition, vp: index };
  return { t: host.now(), provenance: 'emulated', vp, instructions: processor.executed } as const;
}

function tell(host: CaptureHost, runner: Runner, { by, page, parts }: Change): void {
  host.live.feed({
    ...stamp(host, runner),
    kind: 'page',
    what: 'write',
    page: 'ram',
    component: by === 'guest' ? 'guest' : 'vmm',
    gpa: BigInt(page) * BigInt(PAGE_BYTES),
    bytes: parts,
  });
}
