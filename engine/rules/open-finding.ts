import type { Address, TimeNs } from '../trace/position.ts';
import { atLeast, type Finding, type Severity } from './finding.ts';

/** A place in the order of effect, which that of addresses is not: a call can return after later events. */
export interface Moment {
  readonly at: Address;
  /** Number of the step, from 1. */
  readonly step: number;
  /** When it was: of a return, when the call returned. */
  readonly t: TimeNs;
}

/** What a finding starts with. */
export interface RootCause {
  readonly rule: string;
  /** Words that tell this root cause from others of the rule: who did what to whom. Never a position. */
  readonly cause: readonly string[];
  readonly severity: Severity;
  readonly component: string;
  /** The step that broke the rule. */
  readonly culprit: Moment;
  /** Where it showed, when that was later. */
  readonly shown?: Moment;
  /** What it is about, where it is about one. */
  readonly partition?: bigint;
  readonly vp?: number;
}

/** A finding while the trace goes on: what else proves it, and what follows from it, is attached. */
export class OpenFinding {
  readonly id: string;
  readonly root: RootCause;
  #severity: Severity;
  /** By step. */
  readonly #evidence = new Map<number, Address>();
  readonly #cells = new Set<string>();
  readonly #cpus = new Set<number>();
  readonly #consequences = new Set<string>();

  constructor(root: RootCause) {
    this.id = [root.rule, ...root.cause].join(':');
    this.root = root;
    this.#severity = root.severity;
    this.prove(root.culprit);
    if (root.shown !== undefined) this.prove(root.shown);
  }

  /**
   * Adds a cell that the finding is about. False when it is there already: what happens to the same cell again
   * is the same mistake, and a finding must not grow with the trace.
   */
  concerns(cell: string, cpu?: number): boolean {
    if (this.#cells.has(cell)) return false;
    this.#cells.add(cell);
    if (cpu !== undefined) this.#cpus.add(cpu);
    return true;
  }

  /** Adds an event to the proof. */
  prove(moment: Moment): void {
    this.#evidence.set(moment.step, moment.at);
  }

  /** Attaches an event that this finding explains, which is thus no finding of its own: the first for each cell. */
  explains(cell: string, moment: Moment): void {
    if (this.#consequences.has(cell)) return;
    this.#consequences.add(cell);
    this.prove(moment);
  }

  /** Makes the finding at least this severe. */
  escalate(severity: Severity): void {
    if (!atLeast(this.#severity, severity)) this.#severity = severity;
  }

  close(title: string, fix: string): Finding {
    const { rule, component, culprit, shown, partition, vp } = this.root;
    const evidence = [...this.#evidence].sort(([a], [b]) => a - b);
    const cpus = [...this.#cpus].sort((a, b) => a - b);
    return {
      id: this.id,
      rule,
      severity: this.#severity,
      title,
      at: (shown ?? culprit).at,
      culprit: { at: culprit.at, component },
      evidence: evidence.map(([, address]) => address),
      cells: [...this.#cells],
      ...(cpus.length === 0 ? {} : { cpus }),
      ...(partition === undefined ? {} : { partition }),
      ...(vp === undefined ? {} : { vp }),
      fix,
    };
  }
}
