import type { Finding } from './finding.ts';
import type { OpenFinding } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import type { Rule } from './rule.ts';
import { BOUNDARIES, type Boundary } from './track/boundary.ts';
import { PAGES } from './track/page-tracker.ts';
import type { Left, Synic } from './track/synic.ts';
import { SWITCHES } from './track/synic-registers.ts';
import { SYNIC } from './track/synic-tracker.ts';
import { list } from './words.ts';

/** How a component ends, or what of it does. */
type End = 'stop' | 'failed-start' | 'offline' | 'kexec';

const ENDINGS: Readonly<Record<End, { readonly after: string; readonly when: string }>> = {
  stop: { after: 'it stopped', when: 'before it stops' },
  'failed-start': { after: 'its start failed', when: 'on the error path of its start' },
  offline: { after: 'the processor went offline', when: 'before the processor goes offline' },
  kexec: {
    after: 'the kernel handed over to the next one',
    when: 'on every CPU before the next kernel runs',
  },
};

/** R50: what a component switched on in a SynIC it switches off before it goes. */
export const synicLeftOn: Rule = {
  id: 'R50',
  severity: 'error',
  title: 'A component goes and leaves a SINT unmasked, or SCONTROL on',
  meaning:
    'Who unmasks a SINT or sets SCONTROL takes that back before it goes: when it stops, when its start fails, on a processor that goes ' +
    'offline, and before a kernel hands over by kexec. A SINT that is left unmasked raises its vector when something arrives, and ' +
    'whoever has the processor next does not know that vector, or uses it for something else: an error while the SynIC still takes ' +
    'messages or events there, else a warning, for the next who switches the SynIC on makes it live. Pages that are left enabled are R03 and R22; ' +
    'where those speak of the same component and CPU, this is part of their proof.',
  silent: [
    'What was on before the component wrote it, or another component switched on.',
    'SCONTROL, while a SINT of another component is unmasked: that one still needs the SynIC.',
    'The component tried to switch it off and got #GP, or somebody else had switched the SynIC off (R01).',
    'A crash masks on the crashing CPU alone and leaves SCONTROL on, and so does a suspend, after which the same kernel goes on.',
    'A reboot or a power-off resets the processors.',
    'A step whose end is not in the trace, or that failed; a recording that began mid-life.',
  ],
  source:
    'TLFS, SynIC (SINTx, SCONTROL); Linux 7.2 drivers/hv/hv.c (hv_synic_disable_regs), drivers/hv/mshv_synic.c (mshv_synic_cpu_exit)',
  watches: [{ kind: 'msr', msrs: SWITCHES }, 'lifecycle'],
  needs: ['msr'],
  judge(input) {
    const boundaries = input.tracker(BOUNDARIES);
    const pages = input.tracker(PAGES);
    const synics = input.tracker(SYNIC);
    const findings = new OpenFindings(synicLeftOn.id, input);
    const cases = new Map<OpenFinding, Case>();
    /** Cells that somebody tried to switch off, and got #GP. */
    const tried = new Set<string>();

    function left({ synic, control, owner, harm }: Left, end: End): void {
      const { component } = owner;
      const { kind } = control.register;
      if (kind === 'page' || tried.has(control.cell)) return;
      if (kind === 'scontrol' && isNeeded(synic)) return;
      const known = harm?.finding ?? leftPages(component, synic.cpu);
      if (known !== undefined) {
        known.explains(control.cell, input.now());
        return;
      }
      const root = { cause: [component, end], severity: 'warning', component, culprit: input.now() } as const;
      const finding = findings.of(root);
      const found = cases.get(finding) ?? new Case(finding, component, end);
      cases.set(finding, found);
      found.registers.add(control.register.name);
      if (kind === 'sint' && isLive(synic)) finding.escalate('error');
      if (!finding.concerns(control.cell, synic.cpu)) return;
      finding.prove(owner.moment);
      finding.prove(input.now());
    }

    /** The finding on a page of the same component there: whoever does not clean up leaves both. */
    function leftPages(component: string, cpu: number): OpenFinding | undefined {
      for (const { owner, blamed } of pages.own())
        if (owner.vp === undefined && owner.cpu === cpu && blamed?.root.component === component)
          return blamed;
      return undefined;
    }

    return {
      step({ event }) {
        if (event.kind === 'msr') {
          const { write } = synics;
          if (write === undefined) return;
          if (write.fault && write.effect === 'off') tried.add(write.control.cell);
          else if (tried.size > 0) tried.delete(write.control.cell);
          return;
        }
        if (synics.left.length === 0) return;
        const boundary = boundaries.ended.find(({ hasEnd }) => hasEnd);
        const end = boundary === undefined ? undefined : endOf(boundary);
        if (end !== undefined) for (const each of synics.left) left(each, end);
      },
      end() {
        for (const found of cases.values()) input.report(found.close());
      },
    };
  },
};

function endOf({ what, succeeded, inCrash, isIdle }: Boundary): End | undefined {
  if (inCrash || isIdle) return undefined;
  switch (what) {
    case 'component-start':
      return succeeded ? undefined : 'failed-start';
    case 'component-stop':
      return 'stop';
    case 'cpu-offline':
      return 'offline';
    case 'kexec':
      return 'kexec';
    default:
      return undefined;
  }
}

/** A SINT of somebody who has not gone is unmasked, or may be. */
function isNeeded({ sints }: Synic): boolean {
  return sints.some(({ on, owner }) => on === true && owner !== 'nobody');
}

/** What arrives has a place to go to, and interrupts. */
function isLive({ scontrol, simp, siefp, sirbp }: Synic): boolean {
  return scontrol.on === true && [simp, siefp, sirbp].some(({ on }) => on === true);
}

/** What one component leaves on at one kind of end: one root cause, on all registers and CPUs. */
class Case {
  readonly finding: OpenFinding;
  readonly registers = new Set<string>();
  readonly #who: string;
  readonly #end: End;

  constructor(finding: OpenFinding, who: string, end: End) {
    this.finding = finding;
    this.#who = who;
    this.#end = end;
  }

  close(): Finding {
    const sints = [...this.registers].filter((name) => name !== 'SCONTROL');
    const all = [sints, this.registers.size > sints.length ? ['SCONTROL'] : []];
    const steps = all.flatMap((names, i) =>
      names.length === 0 ? [] : [`${i === 0 ? 'mask' : 'clear'} ${list(names)}`],
    );
    const are = this.registers.size === 1 ? 'is' : 'are';
    const { after, when } = ENDINGS[this.#end];
    return this.finding.close(
      `${list(all.flat())} of ${this.#who} ${are} still on after ${after}`,
      `let ${this.#who} ${list(steps)} ${when}`,
    );
  }
}
