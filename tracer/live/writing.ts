import { type CaptureFilter, captureFilterOf } from '../../engine/filter/capture.ts';
import type { Seq } from '../../engine/trace/position.ts';
import type { Profile, TraceHeader } from '../../engine/trace/profile.ts';
import { overlayProfile, parseProfile } from '../../engine/trace/profile-read.ts';
import { UntilSink } from '../sink/until.ts';
import { Emitter, type EventBody } from '../sources/emitter.ts';
import { type CallAnswer, TraceFileError } from '../store/index.ts';
import { KernelBeside } from './kernel/beside.ts';
import type { KernelRecorded } from './kernel/record.ts';
import type { KernelSource } from './kernel/source.ts';
import type { RingReader } from './ring/ring.ts';
import type { PlainObject } from './ring/wire.ts';
import type { Target } from './target.ts';

export interface WritingOptions {
  /** The recording ends with the first event that this filter matches. */
  readonly until?: string;
  /** The kernel's own events, and time 0 of the trace on their clock, in ns. */
  readonly kernel?: { readonly source: KernelSource; readonly origin: number };
}

interface OpenCall {
  readonly seq: Seq;
  readonly tid: number;
}

/** Values that are taken out of the ring before the event loop turns again. */
const MOST = 2000;

/** Puts what the tracing thread saw into the file, and the kernel's own events between. When that takes no more, the rest is let pass. */
export class Writing {
  readonly #ring: RingReader;
  readonly #target: Target;
  readonly #untilText: string | undefined;
  /** Ends the recording with the first event that matches. */
  readonly #until: UntilSink | undefined;
  readonly #emitter: Emitter;
  readonly #kernel: KernelBeside<PlainObject> | undefined;
  readonly #hostKernel: Profile['kernel'];
  /** Calls that have not returned, by the tracing thread's numbers. */
  readonly #open = new Map<number, OpenCall>();
  header: TraceHeader;
  /** Of what is held, the last. */
  #held = 0;
  lost = 0;
  failure: string | undefined;
  /** What the kernel's own events came to, at the end. */
  kernel: KernelRecorded | undefined;

  constructor(ring: RingReader, target: Target, header: TraceHeader, options: WritingOptions = {}) {
    const { until, kernel } = options;
    this.#untilText = until;
    this.#ring = ring;
    this.#target = target;
    this.header = header;
    this.#hostKernel = header.profile.kernel;
    const filter = filterOf(until, header);
    this.#until = filter === undefined ? undefined : new UntilSink(target.sink, filter, () => {});
    this.#emitter = new Emitter(this.#until ?? target.sink);
    this.#kernel =
      kernel === undefined
        ? undefined
        : new KernelBeside(kernel.source, this.#emitter, kernel.origin, (value) => this.#take(value));
    this.#attempt(() => this.#kernel?.start());
  }

  get events(): number {
    return this.#target.events;
  }

  /** Takes what is there; true when there may be more. */
  drain(): boolean {
    const taken = this.#drainRing();
    this.#attempt(() => this.#kernel?.advance());
    this.#attempt(() => this.#target.tick());
    return taken === MOST;
  }

  #drainRing(): number {
    const kernel = this.#kernel;
    if (kernel !== undefined) {
      return this.#ring.take(MOST, (value) => {
        const seen = value as PlainObject;
        kernel.hold(this.#timeOf(seen), seen);
      });
    }
    const batch: PlainObject[] = [];
    const taken = this.#ring.take(MOST, (value) => batch.push(value as PlainObject));
    this.#attempt(() => {
      for (const seen of this.#until === undefined ? joined(batch) : batch) this.#take(seen);
    });
    return taken;
  }

  /** When something was seen; the end of a call that says no time is seen at once. */
  #timeOf({ begin, end, event, t }: PlainObject): number {
    const [own, answer] = [(begin ?? event) as PlainObject | undefined, end as PlainObject | undefined];
    this.#held = Math.max(this.#held, Number(own?.t ?? answer?.tEnd ?? t ?? 0));
    return this.#held;
  }

  /** Events that were not to be kept. */
  get dropped(): number {
    return this.#target.dropped;
  }

  /** Writes what a flight recorder holds beside the recording. */
  snapshot(): void {
    while (this.drain());
    this.#attempt(() => this.#target.snapshot());
  }

  close(): void {
    while (this.drain());
    this.#attempt(() => {
      this.kernel = this.#kernel?.finish();
    });
    this.#attempt(() => this.#target.close(this.#until?.isOver ?? false));
  }

  #take({ id, begin, end, event, kernel, reason, t }: PlainObject): void {
    if (begin !== undefined) {
      const { body, at } = bodyOf(begin as PlainObject);
      const seq = this.#emitter.begin({ ...body, ret: null } as EventBody, at);
      const tid = Number(body.tid);
      this.#open.set(id as number, { seq, tid });
      this.#kernel?.calls.set(tid, seq);
    } else if (end !== undefined) {
      const call = this.#open.get(id as number);
      this.#open.delete(id as number);
      if (call === undefined) return;
      const { tEnd, ...rest } = end as PlainObject;
      this.#emitter.answer(call.seq, rest as Omit<CallAnswer, 'tEnd'>, tEnd as number | undefined);
      this.#kernel?.calls.delete(call.tid);
    } else if (event !== undefined) {
      const { body, at } = bodyOf(event as PlainObject);
      if (body.kind === 'mark' && this.#until?.isOver !== true) this.lost += Number(body.lost ?? 0);
      const { tEnd, ...rest } = body;
      this.#emitter.add(rest as unknown as EventBody, at, tEnd as number | undefined);
    } else {
      this.#learn(String(kernel), String(reason), t as number);
    }
  }

  /** A first call has told what the program speaks: the profile says so, and a mark says why. */
  #learn(interface_: string, reason: string, t: number): void {
    const kernel = interface_ === 'upstream' ? this.#hostKernel : interface_;
    const given = overlayProfile(this.header.given, { kernel });
    const read = parseProfile(given);
    if ('problem' in read) throw new Error(`a profile for ${kernel}: ${read.problem.message}`);
    this.header = { ...this.header, profile: read.profile, given };
    this.#target.header(this.header);
    const until = filterOf(this.#untilText, this.header);
    if (until !== undefined) this.#until?.readAs(until);
    const text = `kernel taken for ${kernel}, as the program calls ${reason}; --profile kernel=… says otherwise`;
    this.#emitter.note(text, t, { component: 'unknown' });
  }

  #attempt(action: () => void): void {
    if (this.failure !== undefined) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof TraceFileError)) throw error;
      this.failure = error.message;
    }
  }
}

/**
 * The same, with calls whose end came together with their beginning as one: to write them in two steps costs nearly twice as much. A
 * filter that ends the recording is asked at the beginning of a call, so there they stay apart.
 */
function joined(batch: readonly PlainObject[]): readonly PlainObject[] {
  const ends = new Map<number, PlainObject>();
  for (const { id, end } of batch) if (end !== undefined) ends.set(id as number, end as PlainObject);
  const whole: PlainObject[] = [];
  const done = new Set<number>();
  for (const seen of batch) {
    const id = seen.id as number;
    const end = seen.begin === undefined ? undefined : ends.get(id);
    if (end !== undefined) {
      done.add(id);
      whole.push({ event: { ...(seen.begin as PlainObject), ...end } });
    } else if (seen.end === undefined || !done.has(id)) whole.push(seen);
  }
  return whole;
}

/** What an event holds but for what the emitter adds. */
function bodyOf({ t, ...plain }: PlainObject): { readonly body: PlainObject; readonly at: number } {
  return { body: { ...plain, component: plain.kind === 'mark' ? 'unknown' : 'vmm' }, at: t as number };
}

function filterOf(text: string | undefined, { profile }: TraceHeader): CaptureFilter | undefined {
  return text === undefined ? undefined : captureFilterOf(text, profile);
}
