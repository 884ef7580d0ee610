import { type BitField, hexOf, highHalf, lowHalf, msrs } from '../abi/index.ts';
import type { MsrEvent } from '../trace/event.ts';
import { OpenFinding } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { MAX_CPUS, synicCell } from './track/synic-registers.ts';

/** Bits of CRASH_CTL say what the hypervisor supports; which of them are legal is read from it. */
const BY_OTHER_MEANS = new Set(['CRASH_CTL', 'SVERSION', 'NESTED_SVERSION']);

interface Bits {
  readonly name: string;
  readonly reset: bigint;
  /** Reserved and preserved bits: they keep what they were. */
  readonly low: number;
  readonly high: number;
}

/** The reserved bits of the MSRs that have some (TLFS; RsvdP where no `_z` is in the name). */
const REGISTERS: ReadonlyMap<number, Bits> = new Map(
  msrs
    .all()
    .filter(({ abiName }) => !BY_OTHER_MEANS.has(abiName))
    .map((row): [number, Bits] => {
      const mask = row.bits.filter(({ reserved }) => reserved).reduce((all, bit) => all | maskOf(bit), 0n);
      const bits = { name: row.abiName, reset: row.reset ?? 0n, low: lowHalf(mask), high: highHalf(mask) };
      return [row.value, bits];
    })
    .filter(([, { low, high }]) => low !== 0 || high !== 0),
);

/** Their addresses. */
export const RESERVING_MSRS: readonly number[] = [...REGISTERS.keys()];

function maskOf({ lsb, width }: BitField): bigint {
  return ((1n << BigInt(width)) - 1n) << BigInt(lsb);
}

/** What is known of the reserved bits of a register on a CPU. */
interface Known {
  readonly low: number;
  readonly high: number;
  /** Who read them; undefined: they are those at reset, or those written last. */
  readonly reader: string | undefined;
}

/**
 * The part of R05 that is about MSRs: reserved bits are written as they were read. Who has not read them may write zeros; what nobody
 * knows is not judged.
 */
export function judgeReservedMsrBits(rule: string, input: RuleInput): Judge {
  const findings = new Map<string, { finding: OpenFinding; name: string }>();
  const known = new Map<number, (Known | undefined)[]>();
  let isReset = input.profile.initial !== 'unknown';

  function write(event: MsrEvent, bits: Bits, cpu: number, value: bigint): void {
    const cpus = cpusOf(event.msr);
    const low = lowHalf(value) & bits.low;
    const high = highHalf(value) & bits.high;
    const was = cpus[cpu];
    const atReset = isReset && was === undefined;
    const before = atReset
      ? { low: lowHalf(bits.reset) & bits.low, high: highHalf(bits.reset) & bits.high }
      : was;
    if (before !== undefined && (low !== before.low || high !== before.high)) {
      const sets = (low & ~before.low) !== 0 || (high & ~before.high) !== 0;
      const component = event.component ?? 'unknown';
      if (component !== 'unknown' && (sets || was?.reader === component)) report(event, bits, cpu, component);
    }
    if (event.fault !== true && (was === undefined || was.low !== low || was.high !== high)) {
      cpus[cpu] = { low, high, reader: undefined };
    }
  }

  function report(event: MsrEvent, { name }: Bits, cpu: number, component: string): void {
    const key = `${component} ${name}`;
    let open = findings.get(key);
    if (open === undefined) {
      const cause = [component, name];
      const culprit = input.now();
      open = { finding: new OpenFinding({ rule, cause, severity: 'warning', component, culprit }), name };
      findings.set(key, open);
      input.begun(open.finding);
    }
    if (event.fault === true) open.finding.escalate('error');
    const cell = synicCell(cpu, event.msr) ?? `cpu[${cpu}].msr[${hexOf(event.msr)}]`;
    if (open.finding.concerns(cell, cpu)) open.finding.prove(input.now());
  }

  function cpusOf(msr: number): (Known | undefined)[] {
    const cpus = known.get(msr) ?? [];
    known.set(msr, cpus);
    return cpus;
  }

  return {
    step({ event }) {
      if (
        event.kind === 'mark' ? event.what === 'gap' : event.kind === 'lifecycle' && event.what === 'resume'
      ) {
        known.clear();
        isReset = false;
      }
      if (event.kind !== 'msr') return;
      const bits = REGISTERS.get(event.msr);
      const { cpu, value } = event;
      if (bits === undefined || value === undefined || cpu === undefined || cpu >= MAX_CPUS) return;
      // A guest's VP has registers of its own, and moves between CPUs.
      if (event.vp !== undefined || event.nested === true) return;
      if (event.dir === 'write') {
        write(event, bits, cpu, value);
      } else if (event.fault !== true) {
        const [low, high] = [lowHalf(value) & bits.low, highHalf(value) & bits.high];
        cpusOf(event.msr)[cpu] = { low, high, reader: event.component };
      }
    },
    end() {
      for (const { finding, name } of findings.values()) {
        const { component } = finding.root;
        const title = `${component} changes reserved bits of ${name}`;
        input.report(
          finding.close(title, `let ${component} write the reserved bits of ${name} as it read them`),
        );
      }
    },
  };
}
