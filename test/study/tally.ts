/** Counts of a study, and why no rule speaks of what is missed. */
import type { Mutant } from './operators.ts';
import type { Verdict } from './verdict.ts';

export interface Row {
  tried: number;
  illegal: number;
  residue: number;
  detected: number;
  /** No rule speaks, and a replay against the kernel's own sources diverges. */
  diverged: number;
  /** Neither refused nor left behind, and a rule speaks: a breach that the hypervisor takes. */
  silentBreach: number;
}

/** The first that fits; `what`: operator and event, `why`: what was refused or left. */
const REASONS: readonly { readonly test: RegExp; readonly reason: string }[] = [
  {
    test: /INVALID_PARTITION_ID|INVALID_PORT_ID|INVALID_VP_INDEX|INVALID_CONNECTION_ID/,
    reason:
      'an object is named that is not there: the hypervisor refuses the call, nothing changes, and the caller is told; no rule holds that whoever names an object has made it',
  },
  {
    test: /INSUFFICIENT_MEMORY|INSUFFICIENT_BUFFER/,
    reason:
      'a pool is short, which is answered by a deposit and another try: the sample ends before, or the later calls have room',
  },
  {
    test: /on: cpu/,
    reason:
      'left on at the end of the trace: whether its owner still switches it off is not in the trace; rules speak where a kernel or a component hands over',
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
      detected: 0,
      diverged: 0,
      silentBreach: 0,
    };
    this.rows.set(operator, row);
    row.tried++;
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
    const reason = REASONS.find(({ test }) => test.test(why))?.reason;
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
