import type { Finding } from './finding.ts';
import { type Moment, OpenFinding } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { type Control, isOwnedBy, type Owner, type Synic } from './track/synic.ts';
import { isAsIntercept, isProxy } from './track/synic-registers.ts';
import { SYNIC, type SynicWrite } from './track/synic-tracker.ts';
import { list } from './words.ts';

/** A component that does the steps of its own bring-up or tear-down in the wrong order. */
interface Break {
  readonly phase: 'bring-up' | 'tear-down';
  readonly component: string;
  readonly culprit: Moment;
  /** Where the wrong order came to light, when that was later. */
  readonly shown?: Moment;
  readonly severe: boolean;
  readonly title: string;
  readonly fix: string;
  readonly cells: readonly Control[];
  readonly proof: readonly Owner[];
}

/** R02: pages before live SINTs on the way up; SINTs, pages, SCONTROL last on the way down. */
export const synicOrder: Rule = {
  id: 'R02',
  severity: 'error',
  title: 'A component brings its SynIC up or tears it down in the wrong order',
  meaning:
    'A SINT is live while it is unmasked and SCONTROL is on. Before it is, a page that it reports through must be ' +
    'enabled (SIMP or SIEFP; SIRBP for a SINT set as intercept), else messages and events go nowhere; which of unmasking ' +
    'and SCONTROL comes first is free. On the way down a component masks its SINTs, disables its pages and clears ' +
    'SCONTROL last: a page that goes while a SINT is live loses messages, and what is written after SCONTROL went to ' +
    '0 is written to a SynIC that is off, which hypervisors are reported not to tolerate. Each component is judged by ' +
    'what it switched on itself; whoever finds the SynIC switched off by another has not broken the order.',
  silent: [
    'SINTs are unmasked before or after SCONTROL is set, with their pages enabled.',
    'A SynIC that went down is brought up again: pages and SINTs are written while SCONTROL is 0.',
    'Another component switched SCONTROL off: that is R01 when it did not own it, and legal when it did.',
    'A crash or a suspend masks the SINTs, disables the pages and leaves SCONTROL on.',
  ],
  source:
    'TLFS, SynIC (SCONTROL, SIMP, SIEFP, SINTx); Linux 7.2 drivers/hv/hv.c (hv_synic_enable_regs, hv_synic_disable_regs)',
  watches: ['msr'],
  needs: ['msr'],
  judge(input) {
    const synics = input.tracker(SYNIC);
    const cases = new Map<string, Case>();
    return {
      step() {
        const { write } = synics;
        if (write === undefined) return;
        const broken = brokenBy(write);
        if (broken === undefined) return;
        const key = `${broken.phase} ${broken.component}`;
        let known = cases.get(key);
        if (known === undefined) {
          known = new Case(broken);
          cases.set(key, known);
          input.begun(known.finding);
        }
        known.add(broken, write);
      },
      end() {
        for (const known of cases.values()) input.report(known.close());
      },
    };
  },
};

function brokenBy(write: SynicWrite): Break | undefined {
  const { component } = write;
  if (component === undefined) return undefined;
  return (
    liveWithoutPage(write, component) ??
    pageGoneWhileLive(write, component) ??
    writtenWhileOff(write, component)
  );
}

/** A component makes one of its SINTs live while no page takes what arrives. */
function liveWithoutPage(write: SynicWrite, component: string): Break | undefined {
  const { synic, control, effect, fault, moment } = write;
  if (fault || effect !== 'on' || synic.scontrol.on !== true) return undefined;
  const { kind } = control.register;
  if (kind !== 'sint' && kind !== 'scontrol') return undefined;
  const made = kind === 'sint' ? [control] : synic.sintsOf(component);
  for (const sint of made) {
    const missing = missingPages(synic, sint);
    if (missing.length === 0 || !isOwnedBy(sint.owner, component)) continue;
    const cause = missing.find((page) => page.harm !== undefined)?.harm;
    if (cause !== undefined) {
      cause.finding.explains(control.cell, moment);
      return undefined;
    }
    const { name } = sint.register;
    const pages = missing.map((page) => page.register.name);
    return {
      phase: 'bring-up',
      component,
      culprit: moment,
      severe: false,
      title: `${component} makes ${name} live while ${pages.join(' and ')} ${pages.length > 1 ? 'are' : 'is'} off`,
      fix: `let ${component} enable ${pages.join(' or ')} before ${name} is unmasked with SCONTROL on`,
      cells: [sint, ...missing],
      proof: [sint.owner, synic.scontrol.owner],
    };
  }
  return undefined;
}

/** A component disables a page of its own that one of its own live SINTs reports through. */
function pageGoneWhileLive(write: SynicWrite, component: string): Break | undefined {
  const { synic, control, before, effect, fault, moment } = write;
  if (fault || effect !== 'off' || control.register.kind !== 'page') return undefined;
  if (!isOwnedBy(before.owner, component) || synic.scontrol.on !== true) return undefined;
  const ring = control === synic.sirbp;
  const live = synic.sintsOf(component).filter((sint) => uses(sint, ring));
  if (live.length === 0) return undefined;
  const page = control.register.name;
  const sints = list(live.map((sint) => sint.register.name));
  return {
    phase: 'tear-down',
    component,
    culprit: moment,
    severe: false,
    title: `${component} disables ${page} while its ${sints} ${live.length > 1 ? 'are' : 'is'} live`,
    fix: `let ${component} mask ${sints} before it disables ${page}`,
    cells: [control, ...live],
    proof: [before.owner, ...live.map((sint) => sint.owner)],
  };
}

/** A component goes on with its tear-down, or ends a message, after it cleared SCONTROL itself. */
function writtenWhileOff(write: SynicWrite, component: string): Break | undefined {
  const { synic, control, before, effect, moment } = write;
  const { scontrol } = synic;
  if (scontrol.on !== false || control === scontrol) return undefined;
  const ends = control.register.kind === 'eom' || (effect === 'off' && isOwnedBy(before.owner, component));
  if (!ends) return undefined;
  if (scontrol.harm !== undefined) {
    scontrol.harm.finding.explains(control.cell, moment);
    return undefined;
  }
  const cleared = scontrol.offBy;
  if (cleared?.component !== component) return undefined;
  const { name, kind } = control.register;
  const done = kind === 'eom' ? 'writes EOM' : kind === 'sint' ? `masks ${name}` : `disables ${name}`;
  return {
    phase: 'tear-down',
    component,
    culprit: cleared.moment,
    shown: moment,
    severe: true,
    title: `${component} clears SCONTROL and ${done} afterwards`,
    fix: `let ${component} mask its SINTs and disable its pages first, clear SCONTROL last`,
    cells: [scontrol, control],
    proof: [before.owner],
  };
}

/** The pages whose absence leaves a SINT without a place to report to; none where one may do. */
function missingPages({ simp, siefp, sirbp }: Synic, sint: Control): readonly Control[] {
  if (sint.value === undefined || isProxy(sint.value)) return [];
  if (simp.on === false && siefp.on === false) return [simp, siefp];
  return isAsIntercept(sint.value) && sirbp.on === false ? [sirbp] : [];
}

/** Whether a SINT may report through the event ring page, or else through the message and event pages. */
function uses({ value }: Control, ring: boolean): boolean {
  if (value === undefined || isProxy(value)) return false;
  return !ring || isAsIntercept(value);
}

/** One component's wrong order on the way up or down: one root cause, on all registers and CPUs. */
class Case {
  readonly #first: Break;
  readonly finding: OpenFinding;

  constructor(first: Break) {
    const { component, phase, culprit, shown } = first;
    this.#first = first;
    this.finding = new OpenFinding({
      rule: synicOrder.id,
      cause: [component, phase],
      severity: 'warning',
      component,
      culprit,
      ...(shown === undefined ? {} : { shown }),
    });
  }

  add(broken: Break, { synic, fault }: SynicWrite): void {
    if (broken.severe || fault) this.finding.escalate('error');
    const added = broken.cells.map((control) => this.finding.concerns(control.cell, synic.cpu));
    if (!added.includes(true)) return;
    this.finding.prove(broken.culprit);
    if (broken.shown !== undefined) this.finding.prove(broken.shown);
    for (const owner of broken.proof) if (typeof owner === 'object') this.finding.prove(owner.moment);
  }

  close(): Finding {
    return this.finding.close(this.#first.title, this.#first.fix);
  }
}
