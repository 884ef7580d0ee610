import { msrs } from '../abi/index.ts';
import type { LifecycleEvent, MessageEvent } from '../trace/event.ts';
import type { Moment } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import type { Judge, RuleInput } from './rule.ts';
import { pageRegister } from './track/page-registers.ts';
import { PAGES } from './track/page-tracker.ts';
import type { Page, PageWrite } from './track/pages.ts';
import type { Deed } from './track/synic.ts';
import { MAX_CPUS } from './track/synic-registers.ts';
import { SYNIC } from './track/synic-tracker.ts';

const ASSIST = pageRegister('VP_ASSIST_PAGE');
export const EOI = msrs.number('EOI');
/** Of a SINT: the interrupt ends by itself (TLFS, SINTx). */
const AUTO_EOI = 1n << 17n;

/** A CPU whose assist page was switched off. */
interface Bare {
  readonly page: Page;
  readonly off: Deed;
  readonly owner: string;
  /** An interrupt that has not been ended. */
  open: Moment | undefined;
}

/**
 * The part of R23 about what an assist page leaves behind, where only its consequence is in the trace: the page is off, interrupts
 * are delivered, and their EOIs, which were written before, are not written any more.
 */
export function judgeMissingEoi(rule: string, input: RuleInput): Judge {
  const pages = input.tracker(PAGES);
  const synics = input.tracker(SYNIC);
  const findings = new OpenFindings(rule, input);
  const bare = new Map<number, Bare>();
  const leaving = new Set<number>();
  /** This kernel ends its interrupts by the synthetic register, and the trace shows it. */
  let usesEoi = false;

  function found({ page, off, owner, open }: Bare, shown?: Moment): void {
    if (open === undefined || !usesEoi) return;
    if (page.blamed !== undefined) {
      page.blamed.explains(`${page.cell} eoi`, shown ?? open);
      return;
    }
    const cause = [owner, 'no-eoi'];
    const finding = findings.of({
      cause,
      severity: 'error',
      component: owner,
      culprit: off.moment,
      shown: shown ?? open,
    });
    if (finding.concerns(page.cell, page.owner.cpu)) finding.prove(open);
  }

  function written({ page, before, deed }: PageWrite): void {
    const { cpu, vp } = page.owner;
    if (page.register !== ASSIST || vp !== undefined) return;
    bare.delete(cpu);
    if (page.on === false && before.on === true) {
      bare.set(cpu, { page, off: deed, owner: before.by?.component ?? deed.component, open: undefined });
    }
  }

  function interrupted({ cpu, vp, sint }: MessageEvent): void {
    const state = vp !== undefined || cpu === undefined ? undefined : bare.get(cpu);
    if (state === undefined || cpu === undefined) return;
    const value = synics.of(cpu, false)?.sints[sint]?.value;
    if (value !== undefined && (value & AUTO_EOI) !== 0n) return;
    if (state.open !== undefined) found(state, input.now());
    state.open = input.now();
  }

  function step({ what, cpu, phase }: LifecycleEvent): void {
    if (what === 'kexec' || what === 'crash' || what === 'reboot') bare.clear();
    if (what !== 'cpu-offline' || cpu === undefined || cpu >= MAX_CPUS) return;
    if (phase !== 'end') leaving.add(cpu);
    else {
      leaving.delete(cpu);
      bare.delete(cpu);
    }
  }

  return {
    step({ event }) {
      if (event.kind === 'msr') {
        for (const write of pages.writes) written(write);
        if (event.msr !== EOI || event.dir !== 'write' || event.vp !== undefined) return;
        usesEoi = true;
        const state = bare.get(event.cpu ?? 0);
        if (state !== undefined) state.open = undefined;
      } else if (event.kind === 'message' && event.what === 'interrupt') interrupted(event);
      else if (event.kind === 'lifecycle') step(event);
    },
    end() {
      // It was to go offline and never got there.
      for (const [cpu, state] of bare) if (leaving.has(cpu)) found(state);
      for (const finding of findings.all()) {
        const { component } = finding.root;
        const title = 'interrupts are not ended any more since the assist page is off';
        input.report(
          finding.close(title, `let ${component} clear the page beneath before it enables VP_ASSIST_PAGE`),
        );
      }
    },
  };
}
