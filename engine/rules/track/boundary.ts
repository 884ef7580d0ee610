import type { Step } from '../../replay/step.ts';
import type { LifecycleEvent } from '../../trace/event.ts';
import type { Profile } from '../../trace/profile.ts';
import type { Moment } from '../open-finding.ts';
import type { Tracker, TrackerInput, TrackerKind } from '../rule.ts';
import { MAX_CPUS } from './synic-registers.ts';

/** A life-cycle step that is over: something has ended, or has tried to begin. */
export interface Boundary {
  readonly what: LifecycleEvent['what'];
  readonly component: string | undefined;
  /** Absent: on all CPUs. */
  readonly cpu: number | undefined;
  readonly partition: bigint | undefined;
  /** It returned 0. */
  readonly succeeded: boolean;
  /** The step at which it began; 0 where the trace does not show it. */
  readonly begun: number;
  /** Its end, or the whole step where the trace gives it as one event. */
  readonly moment: Moment;
  /** Its end is an event of its own: what came before that event belongs to it. */
  readonly hasEnd: boolean;
  /** Part of a crash: only what the crashing CPU reaches is done. */
  readonly inCrash: boolean;
  /** A CPU was to go offline that was offline: nothing happens. */
  readonly isIdle: boolean;
}

interface Begun {
  readonly event: LifecycleEvent;
  readonly moment: Moment;
}

/** Tells the rules when a life-cycle step is over, however the trace writes it down. */
export class BoundaryTracker implements Tracker {
  /** What ended with the present step. */
  ended: readonly Boundary[] = NONE;
  readonly #input: TrackerInput;
  readonly #begun = new Map<string, Begun>();
  /** One without a phase: nothing says how long it lasts. */
  #open: Begun | undefined;
  #inCrash = false;
  /** CPUs that are offline. */
  readonly #away = new Set<number>();
  /** From the next step on none is known to be. */
  #allCome = false;

  constructor(input: TrackerInput) {
    this.#input = input;
  }

  /** Whether a CPU has gone offline and has not come back. */
  isAway(cpu: number): boolean {
    return this.#away.has(cpu);
  }

  step({ event, parent }: Step): void {
    this.ended = NONE;
    if (this.#allCome) this.#away.clear();
    this.#allCome = false;
    if (event.kind !== 'lifecycle') return;
    const below = parent !== undefined;
    if (event.phase === 'end') {
      this.ended = [...(below ? [] : this.#over(event)), this.#end(event)];
      if (event.what === 'crash') this.#inCrash = false;
      return;
    }
    const moment = this.#input.now();
    const begun = { event, moment };
    this.#begun.set(keyOf(event), begun);
    if (below) return;
    this.ended = this.#over();
    this.#open = isWhole(event, this.#input.profile) ? begun : undefined;
    // A reset is nothing that others take part in: what follows comes after it.
    if (event.what === 'partition-reset') this.ended = [...this.ended, ...this.#over()];
    this.#inCrash = event.what === 'crash';
  }

  /** After the last step: what stands in the trace as one event and nothing followed. */
  last(): readonly Boundary[] {
    return this.#open === undefined ? NONE : [this.#whole(this.#open)];
  }

  /** The step without a phase is over, unless this is its end. */
  #over(end?: LifecycleEvent): readonly Boundary[] {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined || (end !== undefined && keyOf(end) === keyOf(open.event))) return NONE;
    return [this.#whole(open)];
  }

  #whole({ event, moment }: Begun): Boundary {
    return this.#boundary(event, moment.step, moment, false);
  }

  #end(event: LifecycleEvent): Boundary {
    const key = keyOf(event);
    const begun = this.#begun.get(key)?.moment.step ?? 0;
    this.#begun.delete(key);
    return this.#boundary(event, begun, this.#input.now(), true);
  }

  #boundary(event: LifecycleEvent, begun: number, moment: Moment, hasEnd: boolean): Boundary {
    const { what, component, cpu, partition, ret = 0 } = event;
    const succeeded = ret === 0;
    const isIdle = what === 'cpu-offline' && cpu !== undefined && this.#away.has(cpu);
    if (succeeded) this.#cameOrWent(what, cpu);
    const inCrash = this.#inCrash;
    return { what, component, cpu, partition, succeeded, begun, moment, hasEnd, inCrash, isIdle };
  }

  #cameOrWent(what: LifecycleEvent['what'], cpu: number | undefined): void {
    if (ALL_COME.has(what)) this.#allCome = true;
    else if (cpu === undefined || cpu >= MAX_CPUS) return;
    else if (what === 'cpu-offline') this.#away.add(cpu);
    else if (what === 'cpu-online') this.#away.delete(cpu);
  }
}

const NONE: readonly Boundary[] = [];
/** After these any CPU may be online. */
const ALL_COME: ReadonlySet<LifecycleEvent['what']> = new Set(['kexec', 'reboot', 'power-off', 'crash']);

function keyOf({ what, component, cpu, partition }: LifecycleEvent): string {
  return `${what} ${component ?? ''} ${cpu ?? ''} ${partition ?? ''}`;
}

/** Written by hand for a kernel that nothing is derived of: a step without a phase is all that there is of it. */
function isWhole({ phase, provenance }: LifecycleEvent, { kernel }: Profile): boolean {
  return phase === undefined && provenance === 'authored' && kernel === 'unknown';
}

export const BOUNDARIES: TrackerKind<BoundaryTracker> = {
  name: 'boundaries',
  watches: ['lifecycle'],
  create: (input) => new BoundaryTracker(input),
};
