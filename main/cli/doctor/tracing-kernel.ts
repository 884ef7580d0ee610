import { type KernelPlan, planKernel } from '../../../tracer/live/kernel/plan.ts';
import type { Host } from './host.ts';
import type { Look } from './look.ts';

/** Groups of trace points that tell something of the hypervisor (docs of `record --kernel`). */
export const GROUPS = ['mshv', 'msr', 'hyperv', 'kvm'] as const;

const FOLDER = '/sys/kernel/tracing';

/** Where tracefs is, or undefined. debugfs mounts it below itself when somebody looks. */
export function tracefsOf(host: Host): string | undefined {
  return host.mountOf('tracefs');
}

export function tracefs(host: Host): Look {
  const what = 'tracefs';
  if (!/^nodev\ttracefs$/m.test(host.read('/proc/filesystems')))
    return { what, ok: false, found: 'this kernel has none (CONFIG_FTRACE)' };
  const folder = tracefsOf(host);
  if (folder === undefined)
    return { what, ok: false, found: 'not mounted', remedy: `sudo mount -t tracefs nodev ${FOLDER}` };
  if (host.canWrite(`${folder}/instances`) && host.canRead(`${folder}/events`))
    return { what, ok: true, found: `${folder}, this user may make an instance` };
  return {
    what,
    ok: false,
    found: `${folder}, not open to this user`,
    remedy: `run record --kernel as root, or give a group of yours the folder: sudo mount -o remount,mode=0770,gid=GROUP ${folder}`,
  };
}

/** What `record --kernel` would switch on here; undefined without tracefs. */
function planHere(host: Host): KernelPlan | undefined {
  const folder = tracefsOf(host);
  if (folder === undefined) return undefined;
  const functions = host.functions();
  return planKernel({
    hasEvent: (system, name) => host.status(`${folder}/events/${system}/${name}/format`) !== undefined,
    hasProbes: host.status(`${folder}/kprobe_events`) !== undefined,
    hasSymbol: (name) => functions.has(name),
  });
}

/** Trace points that would be recorded, counted, and what is not seen because others are missing. */
export function tracePoints(host: Host): Look {
  const what = 'trace points of the kernel';
  const plan = planHere(host);
  if (plan === undefined) return { what, ok: false, found: 'unknown without tracefs' };
  const { points, lacks, lacksProbes } = plan;
  const counts = new Map<string, number>();
  for (const { system } of points) counts.set(system, (counts.get(system) ?? 0) + 1);
  const here = [...counts].map(([system, count]) => `${system} (${count})`).join(', ');
  const missing = lacks.filter((line) => line !== lacksProbes).map((line) => `lacks ${line}`);
  return { what, ok: points.length > 0, found: [here === '' ? 'none' : here, ...missing].join('; ') };
}

/** Trace points of a group; of kvm only those of its Hyper-V part and of MSRs. */
export function pointsOf(host: Host, tracefs: string, group: (typeof GROUPS)[number]): readonly string[] {
  const points = host
    .names(`${tracefs}/events/${group}`)
    .filter((name) => host.status(`${tracefs}/events/${group}/${name}/format`) !== undefined);
  return group === 'kvm' ? points.filter((name) => /^kvm_(hv_|msr$)/.test(name)) : points;
}

/**
 * What `record --kernel` would define: newest kernels write SynIC MSRs by the native instruction, which has no trace point (Linux 7.2
 * arch/x86/include/asm/mshyperv.h, arch/x86/kernel/cpu/mshyperv.c), and hypercalls have none in any kernel.
 */
export function kprobes(host: Host): Look {
  const what = 'probes on SynIC writes and hypercalls';
  const folder = tracefsOf(host);
  if (folder === undefined) return { what, ok: false, found: 'unknown without tracefs' };
  if (host.status(`${folder}/kprobe_events`) === undefined)
    return {
      what,
      ok: false,
      found: 'this kernel has no kprobes (CONFIG_KPROBE_EVENTS): SynIC writes may go unseen',
    };
  const functions = host.functions();
  if (functions.size === 0)
    return {
      what,
      ok: false,
      found: 'kernel symbols are not shown',
      remedy: 'run it as root; see kernel.kptr_restrict',
    };
  const probes = planHere(host)?.probes ?? [];
  const here = [...new Set(probes.map(({ symbol }) => symbol))];
  const ok = here.length > 0;
  if (!ok) return { what, ok, found: 'kprobes, but none of the functions of Hyper-V in this kernel' };
  if (!host.canWrite(`${folder}/kprobe_events`))
    return {
      what,
      ok: false,
      found: `${here.join(', ')}, not open to this user`,
      remedy: 'run record --kernel as root',
    };
  return { what, ok, found: here.join(', ') };
}

export function uprobes(host: Host): Look {
  const what = 'probes on programs';
  const folder = tracefsOf(host);
  if (folder === undefined) return { what, ok: false, found: 'unknown without tracefs' };
  const events = `${folder}/uprobe_events`;
  if (host.status(events) === undefined)
    return { what, ok: false, found: 'this kernel has no uprobes (CONFIG_UPROBE_EVENTS)' };
  if (!host.canWrite(events))
    return {
      what,
      ok: false,
      found: 'uprobes, not open to this user',
      remedy: 'run record --uprobe as root',
    };
  return { what, ok: true, found: 'uprobes: calls at their entry, without ptrace' };
}
