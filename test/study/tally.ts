/** Counts of a study, and why no rule speaks of what is missed. */
import type { Mutant } from './operators.ts';
import type { Verdict } from './verdict.ts';

export interface Row {
  tried: number;
  illegal: number;
  residue: number;
  /** More is left, and nothing has ended that should have taken it away: neither wrong nor right yet. */
  open: number;
  detected: number;
  /** No rule speaks, and a replay against the kernel's own sources diverges. */
  diverged: number;
  /** Neither refused nor left behind, and a rule speaks: a breach that the hypervisor takes. */
  silentBreach: number;
}

/** The first that fits what was done to which event, and what was refused or left. */
const REASONS: readonly { readonly test: RegExp; readonly reason: string }[] = [
  {
    test: /INSUFFICIENT_MEMORY|INSUFFICIENT_BUFFER/,
    reason:
      'a pool is short, which is answered by a deposit and another try: by whom, nothing says in samples that name neither thread nor ioctl, and R09 does not guess',
  },
  {
    test: /^move behind.*on: cpu/,
    reason: 'a component goes on after it could not start: it may have tried again',
  },
  {
    test: /on: cpu/,
    reason: 'the sample begins mid-life: who had switched it on before is not known, so nobody owes it',
  },
  {
    test: /exists$/,
    reason: 'left at the end of the trace, where its owner may still be alive and take it away later',
  },
  {
    test: /HV_STATUS_|#GP|#UD/,
    reason: 'the hypervisor refuses the call as a whole and the caller is told; no rule has its condition',
  },
];

export class Tally {
  readonly rows = new Map<string, Row>();
  readonly missed = new Map<string, number>();
  readonly unexplained: string[] = [];
  readonly reasons = new Map<string, number>();

  add({ operator, what }: Mutant, { kind, why, detected, diverges }: Verdict): void {
    const row = this.rows.get(operator) ?? {
      tried: 0,
      illegal: 0,
      residue: 0,
      open: 0,
      detected: 0,
      diverged: 0,
      silentBreach: 0,
    };
    this.rows.set(operator, row);
    row.tried++;
    if (kind === 'open') {
      row.open++;
      return;
    }
    if (kind === 'harmless') {
      if (detected) row.silentBreach++;
      return;
    }
    row[kind]++;
    if (detected) {
      row.detected++;
      return;
    }
    if (diverges()) row.diverged++;
    const miss = `${what} (${kind}: ${why})`;
    this.missed.set(miss, (this.missed.get(miss) ?? 0) + 1);
    const reason = REASONS.find(({ test }) => test.test(`${what} ${why}`))?.reason;
    if (reason === undefined) this.unexplained.push(miss);
    else this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }

  get bad(): number {
    return [...this.rows.values()].reduce((sum, { illegal, residue }) => sum + illegal + residue, 0);
  }

  get diverged(): number {
    return [...this.rows.values()].reduce((sum, { diverged }) => sum + diverged, 0);
  }

  get detected(): number {
    return [...this.rows.values()].reduce((sum, { detected }) => sum + detected, 0);
  }
}

export function percent(part: number, of: number): string {
  return of === 0 ? '' : `${Math.round((100 * part) / of)} %`;
}
