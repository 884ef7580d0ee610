import assert from 'node:assert/strict';
import { msrs } from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import { CellStore } from '../state/store.ts';
import type { EventKind, LifecycleEvent, MsrEvent, TraceEvent } from '../trace/event.ts';
import { type Address, at, RETURN_SUB, seqOf, timeNs } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';
import { readProfile } from '../trace/profile-read.ts';
import { RULES } from './catalogue.ts';
import { type Finding, findingToJson } from './finding.ts';
import { createJudge } from './judge.ts';
import type { Rule } from './rule.ts';

/** A SINT with vector 0xf3, unmasked and masked. */
export const UNMASKED = 0xf3n;
export const MASKED = 0x1_00f3n;
export const AS_INTERCEPT = 1n << 19n;

type MsrExtra = Partial<Pick<MsrEvent, 'fault' | 'nested' | 'vp'>>;
type LifeExtra = Partial<Pick<LifecycleEvent, 'component' | 'cpu' | 'phase' | 'ret'>>;

/** Writes traffic by hand, one step a call: what rules are judged over, without an engine. */
export class Traffic {
  readonly steps: Step[] = [];
  readonly profile: Profile;

  constructor(given: Record<string, string | number | boolean> = {}) {
    this.profile = readProfile({ kernel: 'unknown', role: 'l1vh', cpus: 8, ...given });
  }

  add(event: { readonly kind: EventKind } & Readonly<Record<string, unknown>>, parent?: Address): this {
    const seq = seqOf(this.steps.length + 1);
    const common = { seq, t: timeNs(seq * 1000), provenance: 'authored' };
    return this.step({ ...common, ...event } as unknown as TraceEvent, parent, false);
  }

  /** The step of a whole event, or of its return. */
  step(event: TraceEvent, parent: Address | undefined, returned: boolean): this {
    this.steps.push({
      address: at(event.seq, returned ? RETURN_SUB : 0),
      event,
      parent,
      derived: false,
      returned,
      from: 0,
      to: 0,
      rule: undefined,
    });
    return this;
  }

  write(
    component: string | undefined,
    cpu: number,
    register: string,
    value: bigint,
    extra: MsrExtra = {},
  ): this {
    const who = component === undefined ? {} : { component };
    return this.add({
      kind: 'msr',
      dir: 'write',
      msr: msrs.number(register),
      value,
      cpu,
      ...who,
      ...extra,
    });
  }

  read(component: string, cpu: number, register: string, value: bigint): this {
    return this.add({ kind: 'msr', dir: 'read', msr: msrs.number(register), value, cpu, component });
  }

  life(what: LifecycleEvent['what'], extra: LifeExtra = {}): this {
    return this.add({ kind: 'lifecycle', what, ...extra });
  }
}

export function judge(traffic: Traffic, rules: readonly Rule[] = RULES): readonly Finding[] {
  const judgement = createJudge(rules, traffic.profile);
  const store = new CellStore();
  for (const step of traffic.steps) judgement.step(step, store);
  judgement.end();
  return judgement.findings();
}

/** VMBus' registers on a CPU, in the order of Linux 7.2 hv_synic_enable_regs. */
export function vmbusUp(traffic: Traffic, cpu: number): Traffic {
  return traffic
    .write('vmbus', cpu, 'SIMP', 0x1000_001n)
    .write('vmbus', cpu, 'SIEFP', 0x2000_001n)
    .write('vmbus', cpu, 'SINT2', UNMASKED)
    .write('vmbus', cpu, 'SCONTROL', 1n);
}

/** In the order of hv_synic_disable_regs. */
export function vmbusDown(traffic: Traffic, cpu: number, extra: MsrExtra = {}): Traffic {
  return traffic
    .write('vmbus', cpu, 'SINT2', MASKED, extra)
    .write('vmbus', cpu, 'SIMP', 0n)
    .write('vmbus', cpu, 'SIEFP', 0n)
    .write('vmbus', cpu, 'SCONTROL', 0n);
}

/** mshv_synic before it knew of VMBus: it enables everything once more. */
export function mshvUp(traffic: Traffic, cpu: number): Traffic {
  return traffic
    .write('mshv', cpu, 'SIMP', 0x1000_001n)
    .write('mshv', cpu, 'SIEFP', 0x2000_001n)
    .write('mshv', cpu, 'SIRBP', 0x3000_001n)
    .write('mshv', cpu, 'SINT0', UNMASKED)
    .write('mshv', cpu, 'SINT5', UNMASKED | AS_INTERCEPT)
    .write('mshv', cpu, 'SCONTROL', 1n);
}

/** The registers that are mshv's alone. */
export function mshvOwnDown(traffic: Traffic, cpu: number): Traffic {
  return traffic
    .write('mshv', cpu, 'SINT0', MASKED)
    .write('mshv', cpu, 'SINT5', MASKED | AS_INTERCEPT)
    .write('mshv', cpu, 'SIRBP', 0n);
}

export function mshvDown(traffic: Traffic, cpu: number): Traffic {
  return mshvOwnDown(traffic, cpu)
    .write('mshv', cpu, 'SIEFP', 0x2000_000n)
    .write('mshv', cpu, 'SIMP', 0x1000_000n)
    .write('mshv', cpu, 'SCONTROL', 0n);
}

/** What some rules say. */
export function judging(rules: readonly Rule[]) {
  const all = (traffic: Traffic) => judge(traffic, rules).map(findingToJson);
  return {
    /** The one finding on it. */
    only(traffic: Traffic) {
      const findings = all(traffic);
      assert.equal(findings.length, 1, JSON.stringify(findings, undefined, 1));
      return findings[0]!;
    },
    /** Holds that there is nothing to find. */
    silent(traffic: Traffic): void {
      assert.deepEqual(all(traffic), []);
    },
  };
}

export const { only, silent } = judging(RULES);
