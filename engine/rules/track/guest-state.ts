import type { Moment } from '../open-finding.ts';
import type { SyntheticRegister } from './synthetic-registers.ts';

/** A register in which a guest keeps something. */
export interface ActiveRegister {
  readonly register: SyntheticRegister;
  readonly vp: number;
  /** When it came to hold it. */
  readonly since: Moment;
}

/** Which registers a call names, in a save or a restore. */
export class Window {
  readonly #named = new Set<string>();
  readonly #processors = new Set<number>();

  name(register: SyntheticRegister | undefined, vp: number): void {
    this.#processors.add(vp);
    if (register !== undefined) this.#named.add(keyOf(register, vp));
  }

  /** What of `active` it leaves out: of processors only that it names at all. */
  missing(active: Iterable<ActiveRegister>): readonly ActiveRegister[] {
    return [...active].filter(
      ({ register, vp }) =>
        !this.#named.has(keyOf(register, vp)) &&
        (register.isShared ? this.#processors.size > 0 : this.#processors.has(vp)),
    );
  }
}

/** The synthetic registers of a partition, as far as the trace tells. */
export class GuestState {
  readonly #active = new Map<string, ActiveRegister>();
  readonly #written = new Set<string>();
  /** When it was reset, and by whom. */
  reset: { readonly component: string; readonly moment: Moment } | undefined;
  window: Window | undefined;

  active(): readonly ActiveRegister[] {
    return [...this.#active.values()];
  }

  wrote(register: SyntheticRegister, vp: number, value: bigint, moment: Moment): void {
    const key = keyOf(register, vp);
    this.#written.add(key);
    if (!register.isActive(value)) this.#active.delete(key);
    else if (!this.#active.has(key)) this.#active.set(key, { register, vp, since: moment });
  }

  /** Nobody has written it since the reset. */
  isAsReset(register: SyntheticRegister, vp: number): boolean {
    return this.reset !== undefined && !this.#written.has(keyOf(register, vp));
  }

  /** A reset begins: what is written from now on counts. */
  forget(): void {
    this.reset = undefined;
    this.#active.clear();
    this.#written.clear();
  }
}

function keyOf({ name, isShared }: SyntheticRegister, vp: number): string {
  return isShared ? name : `${vp} ${name}`;
}
