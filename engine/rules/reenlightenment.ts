import { msrs } from '../abi/index.ts';
import type { LifecycleEvent, MsrEvent } from '../trace/event.ts';
import type { Moment } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import type { Judge, RuleInput } from './rule.ts';
import { BOUNDARIES, type Boundary } from './track/boundary.ts';
import type { Deed } from './track/synic.ts';
import { MAX_CPUS } from './track/synic-registers.ts';

const CONTROL = msrs.number('REENLIGHTENMENT_CONTROL');
const VP_INDEX = msrs.number('VP_INDEX');
const CELL = `cpu[0].msr[0x${CONTROL.toString(16)}]`;
const ENABLED = 1n << 16n;
const TARGET_SHIFT = 32n;

/** A processor that is to be told of a migration and has gone. */
interface Orphan {
  readonly cpu: number;
  readonly by: Deed;
  readonly gone: Moment;
}

/** The part of R22 about the notification of a migration, which names one processor (TLFS, HV_X64_MSR_REENLIGHTENMENT_CONTROL). */
export function judgeReenlightenment(rule: string, input: RuleInput): Judge {
  const boundaries = input.tracker(BOUNDARIES);
  /** Numbers of the hypervisor for CPUs, where they were read; else they are the same. */
  const indexes = new Map<number, number>();
  let target: number | undefined;
  let by: Deed | undefined;
  let orphan: Orphan | undefined;
  /** It was on when the system went to sleep. */
  let asleep: Deed | undefined;
  const findings = new OpenFindings(rule, input);

  function found(how: 'offline' | 'sleep', { component, moment }: Deed, shown: Moment, cpu?: number): void {
    const cause = [component, 'reenlightenment', how];
    const known = findings.of({ cause, severity: 'error', component, culprit: shown });
    if (known.concerns(CELL, cpu)) known.prove(moment);
  }

  function access({ msr, dir, value, cpu, vp, fault, component = 'unknown' }: MsrEvent): void {
    if (vp !== undefined || value === undefined || fault === true) return;
    if (msr === VP_INDEX) {
      if (dir === 'read' && cpu !== undefined && cpu < MAX_CPUS) indexes.set(cpu, Number(value));
      return;
    }
    if (msr !== CONTROL || dir !== 'write') return;
    orphan = undefined;
    const on = (value & ENABLED) !== 0n;
    target = on ? Number(value >> TARGET_SHIFT) : undefined;
    by = on ? { component, moment: input.now() } : undefined;
  }

  /** The processor did not come back before something could happen. */
  function lostForGood(): void {
    if (orphan !== undefined) found('offline', orphan.by, orphan.gone, orphan.cpu);
    orphan = undefined;
  }

  function begun({ what }: LifecycleEvent): void {
    if (what !== 'suspend' && what !== 'save') return;
    lostForGood();
    asleep = by;
  }

  function ended({ what, cpu, succeeded, moment, isIdle }: Boundary): void {
    if (what === 'cpu-offline' && succeeded && !isIdle && cpu !== undefined && by !== undefined) {
      if ((indexes.get(cpu) ?? cpu) === target) orphan = { cpu, by, gone: moment };
    } else if (what === 'cpu-online' && succeeded && cpu === orphan?.cpu) orphan = undefined;
    else if (what === 'suspend' || what === 'save') asleep = succeeded ? asleep : undefined;
    else if (what === 'resume' || what === 'restore') {
      if (asleep !== undefined && by === undefined && succeeded) found('sleep', asleep, moment);
      asleep = undefined;
    } else if (what === 'kexec' || what === 'crash' || what === 'reboot') {
      lostForGood();
      by = undefined;
      asleep = undefined;
    }
  }

  return {
    step({ event }) {
      if (event.kind === 'msr') access(event);
      else if (event.kind === 'mark' && event.what === 'gap') {
        orphan = undefined;
        by = undefined;
        asleep = undefined;
      }
      if (event.kind === 'lifecycle') {
        for (const boundary of boundaries.ended) if (boundary.partition === undefined) ended(boundary);
        if (event.phase !== 'end' && event.partition === undefined) begun(event);
      }
    },
    end() {
      for (const boundary of boundaries.last()) ended(boundary);
      lostForGood();
      for (const finding of findings.all()) {
        const { component, cause } = finding.root;
        const [title, fix] =
          cause[2] === 'offline'
            ? [
                'the processor that is to be told of a migration has gone offline',
                `let ${component} name another processor in REENLIGHTENMENT_CONTROL before the named one goes, or disable it`,
              ]
            : [
                'after the sleep nobody is told of a migration any more',
                `let ${component} write REENLIGHTENMENT_CONTROL again when the system wakes`,
              ];
        input.report(finding.close(title, fix));
      }
    },
  };
}
