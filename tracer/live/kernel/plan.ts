import { KVM_ROWS } from '../../sources/kernel/kvm.ts';
import { MSHV_ROWS } from '../../sources/kernel/mshv.ts';
import { MSR_ROWS } from '../../sources/kernel/msr.ts';
import type { Probe } from '../../sources/kernel/probes.ts';
import { PROBES } from '../../sources/kernel/probes.ts';
import type { SourceRow } from '../../sources/kernel/told.ts';

/** What is asked of a kernel before a recording; tests answer for kernels that are not here. */
export interface KernelSides {
  readonly hasEvent: (system: string, name: string) => boolean;
  /** Kernel probes can be defined (CONFIG_KPROBE_EVENTS). */
  readonly hasProbes: boolean;
  readonly hasSymbol: (name: string) => boolean;
}

/** What will be recorded, and what this kernel lacks: one line each. */
export interface KernelPlan {
  readonly points: readonly SourceRow[];
  readonly probes: readonly Probe[];
  /** Of trace points, then of probes. */
  readonly lacks: readonly string[];
  /** The line of the probes alone. */
  readonly lacksProbes?: string;
}

interface Group {
  readonly rows: readonly SourceRow[];
  readonly lack: string;
}

const GROUPS: readonly Group[] = [
  {
    rows: MSR_ROWS.filter(({ becomes }) => becomes === 'msr'),
    lack: 'msr:read_msr and msr:write_msr: accesses to MSRs are not seen (x86-64 kernels with CONFIG_TRACEPOINTS have them)',
  },
  {
    rows: MSHV_ROWS,
    lack: 'mshv:*: what the mshv driver does is not seen (Linux 7.2 with mshv_root loaded has them)',
  },
  {
    rows: KVM_ROWS,
    lack: 'kvm:kvm_hv_*: what guests of KVM say to its Hyper-V emulation is not seen (the kvm module has them)',
  },
];

/** Chooses trace points and probes, of those that the kernel has. */
export function planKernel(sides: KernelSides): KernelPlan {
  const lacks: string[] = [];
  const points: SourceRow[] = [];
  for (const { rows, lack } of GROUPS) {
    const found = rows.filter(({ system, name }) => sides.hasEvent(system, name));
    points.push(...found);
    if (found.length === 0) lacks.push(lack);
    else if (found.length < rows.length) {
      const missing = rows.filter((row) => !found.includes(row)).map(({ name }) => name);
      lacks.push(`${rows[0]?.system}: without ${missing.join(', ')}`);
    }
  }
  const { probes, lack } = planProbes(sides);
  if (lack === undefined) return { points, probes, lacks };
  return { points, probes, lacks: [...lacks, lack], lacksProbes: lack };
}

function planProbes({ hasProbes, hasSymbol }: KernelSides): {
  readonly probes: readonly Probe[];
  readonly lack?: string;
} {
  const wanted = PROBES.filter(
    ({ symbol, unless }) => hasSymbol(symbol) && !unless.some((other) => hasSymbol(other)),
  );
  if (wanted.length === 0) {
    return {
      probes: [],
      lack: 'the functions of Hyper-V that write MSRs and make hypercalls: this kernel has none of them',
    };
  }
  if (hasProbes) return { probes: wanted };
  const lack =
    'kernel probes: writes to MSRs that have no trace point, and hypercalls, are not seen (CONFIG_KPROBE_EVENTS)';
  return { probes: [], lack };
}

/** Registers that hold the arguments of a function (System V ABI, x86-64). */
const REGISTERS = ['%di', '%si', '%dx', '%cx', '%r8', '%r9'];

/** Definition of a probe: its kind, where it stands, what it fetches (Linux Documentation/trace/kprobetrace.rst). */
export function probeDefinition(probe: Probe): { readonly kind: string; readonly args: string } {
  const fetched = probe.args.flatMap(({ name, type }, index) =>
    name === '_' ? [] : [`${name}=${REGISTERS[index]}:${type}`],
  );
  // So many calls of one function can be under way at a time.
  if (probe.atReturn) return { kind: 'r64', args: 'ret=$retval:x64' };
  return { kind: 'p', args: fetched.join(' ') };
}
