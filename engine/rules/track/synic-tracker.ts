import type { Step } from '../../replay/step.ts';
import type { LifecycleEvent, MsrEvent } from '../../trace/event.ts';
import type { Profile } from '../../trace/profile.ts';
import type { Moment } from '../open-finding.ts';
import type { Tracker, TrackerInput, TrackerKind } from '../rule.ts';
import {
  type Control,
  type ControlState,
  type Deed,
  type Left,
  NOTHING_KNOWN,
  OFF,
  ON,
  Synic,
} from './synic.ts';
import {
  changeWhileOn,
  isNestedAlias,
  isOn,
  MAX_CPUS,
  type SynicRegister,
  synicIndex,
} from './synic-registers.ts';

/** What a write does to its register, or would have done where it was answered with #GP. */
export type Effect = 'on' | 'off' | 'move' | 're-program' | 'none';

/** A write to a register of a SynIC. */
export interface SynicWrite {
  readonly synic: Synic;
  /** The register as it is now. */
  readonly control: Control;
  /** The register as it was before the write. */
  readonly before: ControlState;
  /** Undefined where it is not known. */
  readonly component: string | undefined;
  readonly effect: Effect;
  readonly fault: boolean;
  readonly moment: Moment;
}

const NOTHING: readonly Left[] = [];

/** Follows every SynIC: which controls are on, who switched them on, who has let go of them. */
class SynicTracker implements Tracker {
  /** The write of the present step, when it is one to a SynIC that a rule may have something to say about. */
  write: SynicWrite | undefined;
  /** What is left on by whoever has gone for certain with the present step. */
  left: readonly Left[] = NOTHING;
  readonly #input: TrackerInput;
  readonly #plain: (Synic | undefined)[] = [];
  readonly #nested: (Synic | undefined)[] = [];
  #reset: (register: SynicRegister) => ControlState;
  /** A life-cycle step that began without saying that it lasts: over when the next one begins. */
  #begun: LifecycleEvent | undefined;
  /** By component: the step at which it last began to start. */
  readonly #starts = new Map<string, number>();

  constructor(input: TrackerInput) {
    this.#input = input;
    this.#reset = resetOf(input.profile);
  }

  /** The SynIC of a CPU; undefined where no access to it is in the trace. */
  of(cpu: number, nested: boolean): Synic | undefined {
    return (nested ? this.#nested : this.#plain)[cpu];
  }

  step(step: Step): void {
    this.write = undefined;
    this.left = NOTHING;
    const { event } = step;
    if (event.kind === 'msr') this.#msr(event);
    else if (event.kind === 'lifecycle') this.#lifecycle(event, step.parent !== undefined);
    else if (event.kind === 'mark' && event.what === 'gap') this.#forget();
  }

  #msr(event: MsrEvent): void {
    const index = synicIndex(event.msr);
    const { cpu, value } = event;
    // A guest's VP has a SynIC of its own; the CPU is then only where it ran.
    if (index < 0 || event.vp !== undefined) return;
    if (cpu === undefined || cpu >= MAX_CPUS || value === undefined) return;
    const synic = this.#synic(event, cpu);
    if (event.dir === 'write') this.#write(synic, index, value, event);
    else if (event.fault !== true) synic.read(index, value);
  }

  #write(synic: Synic, index: number, value: bigint, event: MsrEvent): void {
    const control = synic.at(index);
    const isEom = control.register.kind === 'eom';
    // An EOM is written for every other message; while all is well there is nothing to tell about it.
    if (isEom && synic.scontrol.on !== false && synic.harmed() === undefined) return;
    const component = event.component === 'unknown' ? undefined : event.component;
    const fault = event.fault === true;
    const moment = this.#input.now();
    const effect = effectOf(control, value);
    this.write = { synic, control, before: { ...control }, component, effect, fault, moment };
    const deed = component === undefined ? undefined : { component, moment };
    if (!fault) synic.wrote(index, value, deed);
    else if (effect === 'on' && deed !== undefined) synic.refused(index, deed);
  }

  #lifecycle(event: LifecycleEvent, below: boolean): void {
    if (event.phase === 'end') {
      this.#begun = undefined;
      if ((event.ret ?? 0) === 0) this.#ended(event);
      else if (event.what === 'component-start') this.#failed(event);
      return;
    }
    if (event.what === 'component-start' && event.component !== undefined) {
      this.#starts.set(event.component, this.#input.now().step);
    }
    // Firmware has been at work on CPUs that slept.
    if (event.what === 'resume') this.#forget();
    if (below) return;
    if (this.#begun !== undefined) this.#ended(this.#begun);
    this.#begun = event.phase === undefined ? event : undefined;
  }

  /** What is over when a life-cycle step has succeeded, or perhaps has: one whose end the trace does not show. */
  #ended(event: LifecycleEvent): void {
    const heir = event.phase === 'end' ? 'nobody' : 'unknown';
    switch (event.what) {
      case 'component-stop':
        this.#exited(event, heir);
        return;
      case 'cpu-offline':
        this.#release(event.cpu, () => true, heir);
        return;
      case 'kexec':
      case 'crash':
        // The next kernel's components have the same names and are others; the SynIC stays as it is.
        if (event.phase === 'end') this.#release(undefined, () => true, heir);
        return;
      case 'reboot':
      case 'power-off':
        if (event.phase === 'end') this.#forget();
        return;
      default:
        return;
    }
  }

  #exited({ component, cpu }: LifecycleEvent, heir: 'nobody' | 'unknown'): void {
    this.#release(cpu, (deed) => deed.component === component, heir);
  }

  /** A component that could not start holds on to nothing that it did since it tried; it may run all the same. */
  #failed({ component, cpu }: LifecycleEvent): void {
    const since = this.#starts.get(component ?? '') ?? 0;
    const undone = (deed: Deed) => deed.component === component && deed.moment.step > since;
    this.#release(cpu, undone, 'nobody');
  }

  #release(cpu: number | undefined, gone: (deed: Deed) => boolean, heir: 'nobody' | 'unknown'): void {
    const left: Left[] = [];
    this.#each(cpu, (synic) => left.push(...synic.release(gone, heir)));
    if (heir === 'nobody') this.left = left;
  }

  /** What was known need not hold any more: events are missing, or something that is not traced took over. */
  #forget(): void {
    this.#reset = () => NOTHING_KNOWN;
    this.#plain.length = 0;
    this.#nested.length = 0;
  }

  #each(cpu: number | undefined, visit: (synic: Synic) => void): void {
    for (const synics of [this.#plain, this.#nested]) {
      for (const synic of cpu === undefined ? synics : [synics[cpu]]) if (synic !== undefined) visit(synic);
    }
  }

  #synic(event: MsrEvent, cpu: number): Synic {
    const nested = event.nested === true || isNestedAlias(event.msr);
    const synics = nested ? this.#nested : this.#plain;
    const known = synics[cpu];
    if (known !== undefined) return known;
    const synic = new Synic(cpu, nested, this.#reset);
    synics[cpu] = synic;
    return synic;
  }
}

/** What is known of a register before anybody wrote it (TLFS, SynIC reset values; all off, all SINTs masked). */
function resetOf(profile: Profile): (register: SynicRegister) => ControlState {
  if (profile.initial === 'unknown') return () => NOTHING_KNOWN;
  const scontrol = profile.scontrolReset === '1' ? ON : OFF;
  return (register) => (register.kind === 'scontrol' ? scontrol : OFF);
}

function effectOf({ register, on: was, value: old }: Control, value: bigint): Effect {
  if (register.kind === 'eom') return 'none';
  if (!isOn(register, value)) return was === false ? 'none' : 'off';
  if (was !== true) return 'on';
  return old === undefined ? 'none' : changeWhileOn(register, old, value);
}

export const SYNIC: TrackerKind<SynicTracker> = {
  name: 'synic',
  watches: ['msr', 'lifecycle', 'mark'],
  create: (input) => new SynicTracker(input),
};
