import { closeSync, openSync, readSync } from 'node:fs';
import { version } from 'node:os';
import { ENGINE_VERSION } from '../../../engine/version.ts';
import { VERSION } from '../version.ts';
import type { Host } from './host.ts';
import type { Look } from './look.ts';
import { redactor, type Secrets } from './redact.ts';
import { GROUPS, pointsOf, tracefsOf } from './tracing-kernel.ts';

/** What a bundle is, in the file itself. A key is added here when one is added to the bundle. */
const CONTENTS = {
  versions: 'versions of hvrewind, its engine, Node and the kernel',
  looks: 'what `hvrewind doctor` prints',
  cpu: 'vendor, family, model and stepping of CPU 0, number of CPUs, and whether they run on a hypervisor',
  cpuid: 'the hypervisor leaves of CPUID (0x40000000 and following), where /dev/cpu/0/cpuid can be read',
  device: 'mode and owner (root or not) of /dev/mshv',
  commandLine: 'those kernel parameters of a fixed list that were given; no others',
  config: 'lines of the kernel configuration about Hyper-V, KVM, tracing, probes, seccomp, ptrace, BPF',
  modules: 'which modules of hv_*, mshv*, hyperv* and kvm* are loaded',
  formats: 'format files of the trace points of mshv, msr, hyperv and kvm_hv_*',
  symbols: 'names (no addresses) of kernel functions that begin with hv_, mshv_, hyperv_, vmbus_ or kvm_hv_',
} as const;

const NOT_IN_IT = 'no host name, user, path, address, process, serial number or log line';

/** Parameters whose value tells about the hypervisor or tracing (Documentation/admin-guide/kernel-parameters.txt). */
const PARAMETERS =
  /^(?:hv_[a-z_]+|hyperv_[a-z_]+|mshv[a-z_.]*|no_?kaslr|nokaslr|nosmp|nr_cpus|maxcpus|possible_cpus|nox2apic|x2apic_phys|clocksource|tsc|lockdown|iommu|intel_iommu|amd_iommu|kvm[a-z_.-]*|ftrace[a-z_]*|trace_[a-z_]+|tp_printk|crashkernel|kexec_[a-z_]+|nmi_watchdog|hugepagesz?|mitigations)$/;
/** A value that can hold no name or address. */
const PLAIN_VALUE = /^[a-z0-9_,:+@-]{0,40}$/i;

const CONFIG =
  /^(?:# )?CONFIG_(?:[A-Z0-9_]*(?:HYPERV|MSHV|KVM|KPROBE|UPROBE|FTRACE|TRACEPOINT|TRACING|SECCOMP|YAMA|PTRACE|BPF|KALLSYMS|KEXEC)[A-Z0-9_]*)(?:=[ynm0-9]+| is not set)$/;
const MODULE = /^(?:hv_|mshv|hyperv|kvm)/;
const SYMBOL = /^(?:hv_|mshv_|hyperv_|vmbus_|kvm_hv_)/;

const CPUID_FIRST = 0x40000000;
const MOST_LEAVES = 16;

export type Bundle = Readonly<Record<keyof typeof CONTENTS | 'about', unknown>>;

/** What somebody on a real host can send; `secrets` are struck out of everything. */
export function bundleOf(host: Host, looks: readonly Look[], secrets: Secrets): Bundle {
  const tracefs = tracefsOf(host);
  const bundle: Bundle = {
    about: { contents: CONTENTS, never: NOT_IN_IT },
    versions: {
      hvrewind: VERSION,
      engine: ENGINE_VERSION,
      node: process.versions.node,
      kernel: host.release,
      build: version(),
    },
    looks,
    cpu: cpu(host),
    cpuid: cpuid(),
    device: deviceOf(host),
    commandLine: commandLine(host),
    config: config(host),
    modules: lines(host.read('/proc/modules'))
      .flatMap((line) => line.split(' ')[0] ?? [])
      .filter((name) => MODULE.test(name))
      .sort(),
    formats: tracefs === undefined ? {} : formats(host, tracefs),
    symbols: [...host.functions()].filter((name) => SYMBOL.test(name)).sort(),
  };
  return redactor(secrets)(bundle) as Bundle;
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

const CPU_FACTS = ['vendor_id', 'cpu family', 'model', 'stepping', 'microcode'] as const;

function cpu(host: Host): Readonly<Record<string, unknown>> {
  const text = host.read('/proc/cpuinfo');
  const facts = CPU_FACTS.map((name) => [
    name,
    new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1] ?? null,
  ]);
  return {
    ...Object.fromEntries(facts),
    count: [...text.matchAll(/^processor\s*:/gm)].length,
    hypervisor: /^flags\s*:.*\bhypervisor\b/m.test(text),
  };
}

/** The CPUID device: reading at offset N gives EAX, EBX, ECX, EDX of leaf N (Linux arch/x86/kernel/cpuid.c). */
function cpuid(): Readonly<Record<string, readonly string[]>> {
  const leaves: Record<string, readonly string[]> = {};
  let file: number;
  try {
    file = openSync('/dev/cpu/0/cpuid', 'r');
  } catch {
    return leaves;
  }
  try {
    const bytes = Buffer.alloc(16);
    let last = CPUID_FIRST + MOST_LEAVES;
    for (let leaf = CPUID_FIRST; leaf <= last; leaf++) {
      if (readSync(file, bytes, 0, 16, leaf) < 16) break;
      // EAX of the first leaf is the number of the last.
      if (leaf === CPUID_FIRST) last = Math.min(last, bytes.readUInt32LE(0));
      leaves[`0x${leaf.toString(16)}`] = [0, 4, 8, 12].map(
        (at) => `0x${bytes.readUInt32LE(at).toString(16)}`,
      );
    }
  } catch {
    // A kernel that hides it: what was read so far stays.
  } finally {
    closeSync(file);
  }
  return leaves;
}

function deviceOf(host: Host): Readonly<Record<string, unknown>> | null {
  const status = host.status('/dev/mshv');
  return status === undefined
    ? null
    : {
        mode: (status.mode & 0o777).toString(8),
        user: status.uid === 0 ? 'root' : 'other',
        group: status.gid === 0 ? 'root' : 'other',
      };
}

function commandLine(host: Host): readonly string[] {
  return host
    .read('/proc/cmdline')
    .trim()
    .split(/\s+/)
    .flatMap((word) => {
      const [name = '', ...rest] = word.split('=');
      if (!PARAMETERS.test(name)) return [];
      if (rest.length === 0) return [name];
      const value = rest.join('=');
      return [PLAIN_VALUE.test(value) ? `${name}=${value}` : `${name}=<not shown>`];
    });
}

function config(host: Host): readonly string[] {
  const text = host.readPacked('/proc/config.gz') || host.read(`/boot/config-${host.release}`);
  return lines(text).filter((line) => CONFIG.test(line));
}

function formats(host: Host, tracefs: string): Readonly<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const group of GROUPS)
    for (const point of pointsOf(host, tracefs, group))
      all[`${group}:${point}`] = host.read(`${tracefs}/events/${group}/${point}/format`);
  return all;
}
