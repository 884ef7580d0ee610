import type { Finding } from './finding.ts';
import { OpenFinding } from './open-finding.ts';
import { judgeProvidedPages } from './provided-pages.ts';
import type { Rule } from './rule.ts';
import type { Deed } from './track/synic.ts';
import { type Effect, SYNIC, type SynicWrite } from './track/synic-tracker.ts';
import { list } from './words.ts';

type Harmful = Exclude<Effect, 'on' | 'none'>;
const VERBS: Readonly<Record<Harmful, string>> = {
  off: 'switches off',
  move: 'moves',
  're-program': 're-programs',
};

/** A write that took something from a component which had not let go of it. */
interface Violation {
  readonly write: SynicWrite;
  readonly component: string;
  readonly effect: Harmful;
  readonly owner: Deed;
}

/** R01: who switched a shared SynIC control on is the one who may switch it off, move or re-program it. */
export const sharedOwnership: Rule = {
  id: 'R01',
  severity: 'error',
  title: 'A shared control is switched off, moved or re-programmed by a component that does not own it',
  meaning:
    'The components of a kernel share the SynIC of each CPU. The one whose write switched a control on ' +
    '(SCONTROL, SIMP, SIEFP or SIRBP enabled, a SINT unmasked) owns it until it switches it off itself, stops, or ' +
    'the CPU goes offline; writing an enable that is set already makes no new owner. Taking a control from its ' +
    'owner loses the messages and events that the owner waits for, and the tear-down of the owner then writes to a ' +
    'SynIC that is off, which hypervisors are reported not to tolerate. It is an error where the owner has an unmasked SINT on ' +
    'that CPU or writes to that SynIC afterwards, else a warning. One finding covers all registers and CPUs that one ' +
    'component takes from another in one way. On a root partition the hypervisor provides the pages of ' +
    'HYPERCALL, VP_ASSIST_PAGE, SIMP, SIEFP and SIRBP: enabling one at another frame than was read is the same mistake.',
  silent: [
    'A component tears down what it switched on itself, as on a root partition without VMBus.',
    'A component writes an enable that another has set already, and later leaves the register alone.',
    'The owner has switched the control off, has stopped, or its CPU is offline.',
    'A guest places its pages where it likes; a root partition keeps the frame that it read.',
    'The component tried to switch the control on itself and got #GP: what is wrong was wrong before.',
    'The recording began mid-life, or the writer of an access is not known: the owner is not known either.',
  ],
  source:
    'TLFS, SynIC (one register file per virtual processor); Linux 7.2 drivers/hv/hv.c and drivers/hv/mshv_synic.c; ' +
    'patch series “mshv: limit SynIC management to MSHV-owned resources”; ' +
    'Linux commit e5d9b714fe40 “x86/hyperv: fix root partition faults when writing to VP assist page MSR”',
  watches: ['msr'],
  needs: ['msr'],
  judge(input) {
    const synics = input.tracker(SYNIC);
    const cases = new Map<string, Case>();
    const provided = judgeProvidedPages(sharedOwnership.id, input);
    return {
      step(step, store) {
        provided.step(step, store);
        const { write } = synics;
        if (write === undefined) return;
        const violation = violationOf(write);
        if (violation === undefined) {
          suffer(write);
          return;
        }
        const key = `${violation.component} ${violation.effect} ${violation.owner.component}`;
        let known = cases.get(key);
        if (known === undefined) {
          known = new Case(violation);
          cases.set(key, known);
          input.begun(known.finding);
        }
        known.add(violation);
      },
      end() {
        provided.end();
        for (const known of cases.values()) input.report(known.close());
      },
    };
  },
};

function violationOf(write: SynicWrite): Violation | undefined {
  const { component, effect, before, fault } = write;
  if (fault || component === undefined || effect === 'on' || effect === 'none') return undefined;
  const { owner, claim } = before;
  if (typeof owner === 'string' || owner.component === component || claim?.component === component) {
    return undefined;
  }
  return { write, component, effect, owner };
}

/** A component writes to a SynIC from which something was taken: the harm is real. */
function suffer({ synic, control, before, component, moment }: SynicWrite): void {
  if (component === undefined) return;
  const harm = before.harm?.victim.component === component ? before.harm : synic.harmed(component);
  if (harm === undefined) return;
  harm.finding.explains(control.cell, moment);
  harm.finding.escalate('error');
}

/** What one component does to the controls of another in one way: one root cause, on all registers and CPUs. */
class Case {
  readonly finding: OpenFinding;
  readonly #effect: Harmful;
  readonly #component: string;
  readonly #victim: string;
  readonly #registers = new Set<string>();
  readonly #liveSints = new Set<string>();

  constructor({ write, component, effect, owner }: Violation) {
    this.#effect = effect;
    this.#component = component;
    this.#victim = owner.component;
    this.finding = new OpenFinding({
      rule: sharedOwnership.id,
      cause: [component, effect, owner.component],
      severity: 'warning',
      component,
      culprit: write.moment,
    });
  }

  add({ write, owner }: Violation): void {
    const { synic, control, moment } = write;
    synic.blame(control, { finding: this.finding, victim: owner });
    if (!this.finding.concerns(control.cell, synic.cpu)) return;
    this.#registers.add(control.register.name);
    this.finding.prove(owner.moment);
    this.finding.prove(moment);
    if (control.register.kind === 'sint') this.finding.escalate('error');
    for (const sint of synic.sintsOf(this.#victim)) {
      if (sint === control || typeof sint.owner !== 'object') continue;
      this.#liveSints.add(sint.register.name);
      this.finding.escalate('error');
      this.finding.prove(sint.owner.moment);
    }
  }

  close(): Finding {
    const taken = list(this.#registers);
    const [who, victim] = [this.#component, this.#victim];
    const used =
      this.#liveSints.size === 0 ? 'has not released' : `still uses (${list(this.#liveSints)} unmasked)`;
    const title = `${who} ${VERBS[this.#effect]} ${taken}, which ${victim} switched on and ${used}`;
    const them = this.#registers.size === 1 ? 'it' : 'them';
    const fix = `let ${who} write ${taken} only where its own write switched ${them} on; here ${victim} did`;
    return this.finding.close(title, fix);
  }
}
