import { hexOf, msrs } from '../abi/index.ts';
import { OpenFindings } from './open-findings.ts';
import type { Rule } from './rule.ts';
import { MAX_CPUS } from './track/synic-registers.ts';

const READ_ONLY = [
  'VP_INDEX',
  'VP_RUNTIME',
  'TIME_REF_COUNT',
  'TSC_FREQUENCY',
  'APIC_FREQUENCY',
  'SVERSION',
].map((name) => msrs.number(name));
const HYPERCALL = msrs.number('HYPERCALL');
const LOCKED = 2n;
/** Partitions that are followed at a time. */
const MAX_PARTITIONS = 4096;

/** R34: what only the hypervisor sets, and what was locked, is not written. */
export const registerCannotChange: Rule = {
  id: 'R34',
  severity: 'warning',
  title: 'A register is written that cannot be',
  meaning:
    'VP_INDEX, VP_RUNTIME, TIME_REF_COUNT, TSC_FREQUENCY, APIC_FREQUENCY and SVERSION tell what the hypervisor knows, and HYPERCALL does ' +
    'not change once its lock bit is set, until the guest is reset. A write to one of them is answered with #GP, which ends a guest that ' +
    'did not mean to ask.',
  silent: [
    'The registers are read, or nobody knows who wrote them.',
    'HYPERCALL is locked by the write itself, or written with the value that it has.',
    'A deliberate trial, between marks of the kind `probe`.',
    'After a reset, a kexec or a gap HYPERCALL may not be locked any more.',
  ],
  source:
    'TLFS, synthetic MSRs (read-only registers; HV_X64_MSR_HYPERCALL, Locked); OpenVMM vm/hv1/hv1_emulator; Linux 7.2 arch/x86/kvm/hyperv.c',
  watches: [{ kind: 'msr', msrs: [...READ_ONLY, HYPERCALL] }, 'lifecycle', 'mark'],
  needs: ['msr'],
  judge(input) {
    const findings = new OpenFindings(registerCannotChange.id, input);
    /** By partition: the value with which HYPERCALL was locked. */
    const locked = new Map<string, bigint>();
    let isProbe = false;
    return {
      step({ event }) {
        if (event.kind === 'lifecycle') locked.clear();
        else if (event.kind === 'mark') {
          if (event.what === 'gap') locked.clear();
          else if (event.what === 'probe') isProbe = event.phase !== 'end';
        } else if (event.kind === 'msr' && event.dir === 'write') {
          const { msr, value = 0n, vp, vtl = 0, cpu = 0 } = event;
          if (msr === HYPERCALL) {
            const place = `${vp?.partition ?? ''}/${vtl}`;
            const was = locked.get(place);
            if (was === undefined) {
              if ((value & LOCKED) !== 0n && event.fault !== true && locked.size < MAX_PARTITIONS)
                locked.set(place, value);
              return;
            }
            if (was === value) return;
          }
          if (isProbe || cpu >= MAX_CPUS) return;
          const component = event.component ?? (vp === undefined ? 'unknown' : 'guest');
          if (component === 'unknown') return;
          const cause = [component, msrs.find(msr)?.abiName ?? hexOf(msr)];
          const culprit = input.now();
          const finding = findings.of({ cause, severity: 'warning', component, culprit });
          if (vp === undefined) finding.concerns(`cpu[${cpu}].msr[${hexOf(msr)}]`, cpu);
        }
      },
      end() {
        for (const finding of findings.all()) {
          const [who, register] = finding.root.cause;
          const [title, fix] =
            register === 'HYPERCALL'
              ? [
                  `${who} changes HYPERCALL, which is locked`,
                  `let ${who} leave HYPERCALL as it is, or not lock it`,
                ]
              : [`${who} writes ${register}, which can only be read`, `let ${who} read ${register} only`];
          input.report(finding.close(title, fix));
        }
      },
    };
  },
};
