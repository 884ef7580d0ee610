import type { Moment, OpenFinding } from '../open-finding.ts';
import {
  changeWhileOn,
  indexOf,
  isOn,
  SYNIC_REGISTERS,
  type SynicRegister,
  synicPath,
} from './synic-registers.ts';

/** A component that did something, and when. */
export interface Deed {
  readonly component: string;
  readonly moment: Moment;
}

/**
 * Who switched a control on and has neither switched it off nor gone. `unknown`: it may have been on before
 * the recording began, or the writer is not known; then nobody can be blamed.
 */
export type Owner = Deed | 'nobody' | 'unknown';

/** Harm that a finding explains, and the owner who suffers from it: who had switched the control on, and when. */
export interface Harm {
  readonly finding: OpenFinding;
  readonly victim: Deed;
}

/** What is known of a register. */
export interface ControlState {
  readonly on: boolean | undefined;
  readonly value: bigint | undefined;
  readonly owner: Owner;
  /** Who switched it off, while it is off. */
  readonly offBy: Deed | undefined;
  /** Its present state is somebody's fault, until it is on again or the victim has gone. */
  readonly harm: Harm | undefined;
  /** Who last tried to switch it on and got #GP: to that component it is its own, until it lets go or has gone. */
  readonly claim: Deed | undefined;
}

/** A register of a SynIC, as far as the trace has told. */
export interface Control extends ControlState {
  readonly register: SynicRegister;
  /** Path of the cell: `cpu[0].synic.siefp`. */
  readonly cell: string;
}

type Live = { -readonly [K in keyof Control]: Control[K] };

const UNWRITTEN = { value: undefined, offBy: undefined, harm: undefined, claim: undefined };
export const NOTHING_KNOWN: ControlState = { ...UNWRITTEN, on: undefined, owner: 'unknown' };
export const OFF: ControlState = { ...UNWRITTEN, on: false, owner: 'nobody' };
export const ON: ControlState = { ...UNWRITTEN, on: true, owner: 'nobody' };

/** A control that is on although the one who switched it on has gone. */
export interface Left {
  readonly synic: Synic;
  readonly control: Control;
  readonly owner: Deed;
  /** What had been done to that owner here, which may be why. */
  readonly harm: Harm | undefined;
}

/** The SynIC of a CPU; a nested one has a register file of its own. */
export class Synic {
  readonly cpu: number;
  /** By index in {@link SYNIC_REGISTERS}; a hole where no register is. */
  readonly #controls: readonly (Live | undefined)[];
  readonly scontrol: Control;
  readonly siefp: Control;
  readonly simp: Control;
  readonly sirbp: Control;
  readonly sints: readonly Control[];

  constructor(cpu: number, nested: boolean, reset: (register: SynicRegister) => ControlState) {
    this.cpu = cpu;
    const path = synicPath(cpu, nested);
    this.#controls = SYNIC_REGISTERS.map(
      (register) => register && { register, cell: `${path}.${register.path}`, ...reset(register) },
    );
    this.scontrol = this.at(indexOf('SCONTROL'));
    this.siefp = this.at(indexOf('SIEFP'));
    this.simp = this.at(indexOf('SIMP'));
    this.sirbp = this.at(indexOf('SIRBP'));
    this.sints = this.#controls.filter((control) => control?.register.kind === 'sint') as Control[];
  }

  /** The register at an index of {@link SYNIC_REGISTERS}. */
  at(index: number): Control {
    return this.#live(index);
  }

  /** The SINTs that a component has unmasked and still owns. */
  sintsOf(component: string): readonly Control[] {
    return this.sints.filter((sint) => sint.on === true && isOwnedBy(sint.owner, component));
  }

  /** A control that is not as `victim` left it, or as anybody did where no victim is named. */
  harmed(victim?: string): Harm | undefined {
    for (const control of this.#controls) {
      const harm = control?.harm;
      if (harm !== undefined && (victim === undefined || harm.victim.component === victim)) return harm;
    }
    return undefined;
  }

  /** Puts the state of a control down to a finding. */
  blame(control: Control, harm: Harm): void {
    (control as Live).harm = harm;
  }

  /** A read has shown a value. One that we did not expect was written by somebody whom the trace does not show. */
  read(index: number, value: bigint): void {
    const control = this.#live(index);
    const { register } = control;
    if (register.kind === 'eom') return;
    const on = isOn(register, value);
    const moved =
      on && control.value !== undefined && changeWhileOn(register, control.value, value) !== 'none';
    if (on !== control.on || moved) {
      control.owner = on ? 'unknown' : 'nobody';
      control.offBy = undefined;
      control.harm = undefined;
    }
    control.on = on;
    control.value = value;
  }

  /** A write that would have switched a control on was answered with #GP. */
  refused(index: number, deed: Deed): void {
    this.#live(index).claim = deed;
  }

  /** A write has taken effect; `deed` is undefined where its writer is not known. */
  wrote(index: number, value: bigint, deed: Deed | undefined): void {
    const control = this.#live(index);
    const { register, on: was, harm } = control;
    if (register.kind === 'eom') return;
    control.on = isOn(register, value);
    control.value = value;
    const ofVictim = harm !== undefined && harm.victim.component === deed?.component;
    if (control.claim?.component === deed?.component) control.claim = undefined;
    if (control.on) {
      // What was taken from its owner and is put back is the owner's; what was left behind is the next writer's.
      if (control.owner === 'nobody') {
        control.owner = harm === undefined || ofVictim ? (deed ?? 'unknown') : harm.victim;
      }
      control.offBy = undefined;
      control.harm = undefined;
    } else {
      // Whoever may have had it on is not known to have let go.
      if (control.owner !== 'unknown') control.owner = 'nobody';
      if (was !== false) control.offBy = deed;
      // The owner has let go of what was taken from it.
      if (ofVictim) control.harm = undefined;
    }
  }

  /**
   * Deeds of those who have gone: they own nothing here any more and cannot be harmed. What they left on is the
   * next writer's, or nobody can tell whose it is (`heir`). Gives what they left on.
   */
  release(gone: (deed: Deed) => boolean, heir: 'nobody' | 'unknown' = 'nobody'): readonly Left[] {
    const left = this.#controls.flatMap((control): Left[] => {
      if (control?.on !== true || typeof control.owner !== 'object' || !gone(control.owner)) return [];
      const { owner } = control;
      return [{ synic: this, control, owner, harm: this.harmed(owner.component) }];
    });
    for (const control of this.#controls) {
      if (control === undefined) continue;
      if (typeof control.owner === 'object' && gone(control.owner)) control.owner = heir;
      if (control.offBy !== undefined && gone(control.offBy)) control.offBy = undefined;
      if (control.harm !== undefined && gone(control.harm.victim)) {
        control.harm = undefined;
        control.owner = heir;
      }
      if (control.claim !== undefined && gone(control.claim)) {
        control.claim = undefined;
        if (heir === 'unknown') control.owner = heir;
      }
    }
    return left;
  }

  #live(index: number): Live {
    const control = this.#controls[index];
    if (control === undefined) throw new RangeError(`no SynIC register at ${index}`);
    return control;
  }
}

export function isOwnedBy(owner: Owner, component: string): boolean {
  return typeof owner === 'object' && owner.component === component;
}
