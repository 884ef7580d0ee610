import { type CaptureFilter, captureFilterOf } from '../../engine/filter/capture.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { type Seq, seqOf, timeNs } from '../../engine/trace/position.ts';
import type { Profile, TraceHeader } from '../../engine/trace/profile.ts';
import { overlayProfile, parseProfile } from '../../engine/trace/profile-read.ts';
import { type CallAnswer, TraceFileError } from '../store/index.ts';
import type { RingReader } from './ring/ring.ts';
import type { Plain, PlainObject } from './ring/wire.ts';
import type { Target } from './target.ts';

/** Values that are taken out of the ring before the event loop turns again. */
const MOST = 2000;

/** Puts what the tracing thread saw into the file. When that takes no more, the rest is let pass. */
export class Writing {
  readonly #ring: RingReader;
  readonly #target: Target;
  readonly #untilText: string | undefined;
  #until: CaptureFilter | undefined;
  #made = 0;
  /** The event that ends the recording has come. */
  #over = false;
  readonly #hostKernel: Profile['kernel'];
  /** Calls that have not returned, by the tracing thread's numbers. */
  readonly #open = new Map<number, Seq>();
  header: TraceHeader;
  #t = 0;
  lost = 0;
  failure: string | undefined;

  /** `until`: the recording ends with the first event that this filter matches. */
  constructor(ring: RingReader, target: Target, header: TraceHeader, until?: string) {
    this.#untilText = until;
    this.#until = filterOf(until, header);
    this.#ring = ring;
    this.#target = target;
    this.header = header;
    this.#hostKernel = header.profile.kernel;
  }

  get events(): number {
    return this.#target.events;
  }

  /** Takes what is there; true when there may be more. */
  drain(): boolean {
    const taken = this.#ring.take(MOST, (value) => this.#attempt(() => this.#take(value as PlainObject)));
    this.#attempt(() => this.#target.tick());
    return taken === MOST;
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
    this.#attempt(() => this.#target.close(this.#over));
  }

  #take({ id, begin, end, event, kernel, reason, t }: PlainObject): void {
    if (this.#over) return;
    if (begin !== undefined) {
      const made = this.#event({ ...(begin as PlainObject), ret: null });
      this.#open.set(id as number, made.seq);
      this.#target.sink.begin(made);
      this.#over = this.#until?.holds(made) ?? false;
    } else if (end !== undefined) {
      const seq = this.#open.get(id as number);
      this.#open.delete(id as number);
      if (seq !== undefined) this.#target.sink.complete(seq, answer(end as PlainObject));
    } else if (event !== undefined) {
      const made = this.#event(event as PlainObject);
      if (made.kind === 'mark') this.lost += made.lost ?? 0;
      this.#target.sink.append(made);
      this.#over = this.#until?.holds(made) ?? false;
    } else {
      this.#learn(String(kernel), String(reason), t as number);
    }
  }

  #event(plain: PlainObject): TraceEvent {
    this.#made++;
    this.#t = Math.max(this.#t, plain.t as number);
    return {
      ...plain,
      seq: seqOf(this.#made),
      t: timeNs(this.#t),
      component: plain.kind === 'mark' ? 'unknown' : 'vmm',
      provenance: 'observed',
    } as unknown as TraceEvent;
  }

  /** A first call has told what the program speaks: the profile says so, and a mark says why. */
  #learn(interface_: string, reason: string, t: number): void {
    const kernel = interface_ === 'upstream' ? this.#hostKernel : interface_;
    const given = overlayProfile(this.header.given, { kernel });
    const read = parseProfile(given);
    if ('problem' in read) throw new Error(`a profile for ${kernel}: ${read.problem.message}`);
    this.header = { ...this.header, profile: read.profile, given };
    this.#target.header(this.header);
    this.#until = filterOf(this.#untilText, this.header);
    const text = `kernel taken for ${kernel}, as the program calls ${reason}; --profile kernel=… says otherwise`;
    this.#target.sink.append(this.#event({ kind: 'mark', what: 'note', t, text }));
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

function answer({ tEnd, ...rest }: PlainObject): CallAnswer {
  const ended = tEnd === undefined ? {} : { tEnd: timeNs(tEnd as number) };
  return { ...(rest as Readonly<Record<string, Plain>>), ...ended } as CallAnswer;
}

function filterOf(text: string | undefined, { profile }: TraceHeader): CaptureFilter | undefined {
  return text === undefined ? undefined : captureFilterOf(text, profile);
}
