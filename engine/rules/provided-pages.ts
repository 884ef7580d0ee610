import { hexOf, msrs } from '../abi/index.ts';
import type { MsrEvent } from '../trace/event.ts';
import type { Finding } from './finding.ts';
import { type Moment, OpenFinding } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { MAX_CPUS, synicCell } from './track/synic-registers.ts';

/** Registers whose page the hypervisor gives a root partition (Linux 7.2 arch/x86/hyperv/hv_init.c, drivers/hv/hv.c). */
const PROVIDED = ['HYPERCALL', 'VP_ASSIST_PAGE', 'SIMP', 'SIEFP', 'SIRBP', 'NESTED_SIMP', 'NESTED_SIEFP'];
const ENABLE = 1n;
const BASE_SHIFT = 12n;

/** The page of one register on one CPU, as it was read before anybody wrote it. */
interface Provided {
  readonly frame: bigint;
  readonly read: Moment;
}

/**
 * The part of R01 whose enabler is the hypervisor: a root partition keeps the frame that it reads and writes the
 * enable bit alone. Without a read before the first write nobody knows what was provided.
 */
export function judgeProvidedPages(rule: string, input: RuleInput): Judge {
  const { role } = input.profile;
  const root = role === 'root' || role === 'nested-root';
  const registers = new Map<number, Register>();
  for (const name of root ? PROVIDED : []) registers.set(msrs.number(name), new Register(rule, name, input));
  return {
    step({ event }) {
      if (event.kind !== 'msr') return;
      const register = registers.get(event.msr);
      const { cpu } = event;
      if (register === undefined || cpu === undefined || cpu >= MAX_CPUS || event.vp !== undefined) return;
      if (event.dir === 'read') register.read(cpu, event);
      else register.wrote(cpu, event);
    },
    end() {
      for (const register of registers.values()) for (const f of register.close()) input.report(f);
    },
  };
}

class Register {
  readonly #rule: string;
  readonly #name: string;
  readonly #provided = new Map<number, Provided | 'unknown'>();
  /** By the component that moved the page. */
  readonly #findings = new Map<string, OpenFinding>();

  readonly #input: RuleInput;

  constructor(rule: string, name: string, input: RuleInput) {
    this.#rule = rule;
    this.#name = name;
    this.#input = input;
  }

  read(cpu: number, { value, fault }: MsrEvent): void {
    if (this.#provided.has(cpu) || value === undefined || fault === true) return;
    const frame = value >> BASE_SHIFT;
    this.#provided.set(cpu, frame === 0n ? 'unknown' : { frame, read: this.#input.now() });
  }

  wrote(cpu: number, { msr, value = 0n, component = 'unknown' }: MsrEvent): void {
    const provided = this.#provided.get(cpu);
    if (provided === undefined) this.#provided.set(cpu, 'unknown');
    if (provided === undefined || provided === 'unknown') return;
    if ((value & ENABLE) === 0n || value >> BASE_SHIFT === provided.frame) return;
    const culprit = this.#input.now();
    const cause = [component, 'move', 'hypervisor', this.#name];
    let finding = this.#findings.get(component);
    if (finding === undefined) {
      finding = new OpenFinding({ rule: this.#rule, cause, severity: 'error', component, culprit });
      this.#findings.set(component, finding);
      this.#input.begun(finding);
    }
    const cell = synicCell(cpu, msr) ?? `cpu[${cpu}].msr[${hexOf(msr)}]`;
    if (!finding.concerns(cell, cpu)) return;
    finding.prove(provided.read);
    finding.prove(culprit);
  }

  *close(): Generator<Finding> {
    for (const [component, finding] of this.#findings) {
      const title = `${component} moves ${this.#name}, whose page the hypervisor provides`;
      yield finding.close(
        title,
        `let ${component} keep the frame that it reads and set the enable bit alone`,
      );
    }
  }
}
