import { constantNumber, hexOf, msrs } from '../abi/index.ts';
import type { MsrEvent } from '../trace/event.ts';
import type { VpRef } from '../trace/handle.ts';
import type { Moment } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import type { Rule } from './rule.ts';
import { GUEST_OS_ID, PAGES, type PagesOfPartition } from './track/page-tracker.ts';
import type { Deed } from './track/synic.ts';

const PARAMETERS = ['CRASH_P0', 'CRASH_P1', 'CRASH_P2', 'CRASH_P3', 'CRASH_P4'].map((name) =>
  msrs.number(name),
);
const [FIRST = 0] = PARAMETERS;
const CONTROL = msrs.number('CRASH_CTL');
const ADDRESS = 3;
const LENGTH = 4;
const NOTIFY = 1n << 63n;
const MESSAGE = 1n << 62n;
/** Bits that no version of the interface defines (TLFS, HV_X64_MSR_CRASH_CTL). */
const RESERVED = (1n << 58n) - 1n;
const PAGE_BYTES = BigInt(constantNumber('HV_HYP_PAGE_SIZE'));
const MAX_PARTITIONS = 4096;

interface Parameter {
  readonly value: bigint;
  readonly moment: Moment;
}

/** What a guest has told of a crash, until it reports the next one. */
interface Report {
  readonly vp: VpRef | undefined;
  readonly values: (Parameter | undefined)[];
  /** Bits of CRASH_CTL that the host says it supports; undefined where nobody asked. */
  supported: bigint | undefined;
  reported: Deed | undefined;
  /** A parameter that was written after the report, which thus does not have it. */
  late: Deed | undefined;
}

type Mistake = 'length' | 'address' | 'bits' | 'empty' | 'late' | 'identity';

const SAYS: Readonly<Record<Mistake, readonly [title: string, fix: string]>> = {
  length: [
    'a message that is longer than a page',
    'put the length of the message, at most a page, into CRASH_P4 before CRASH_CTL names one',
  ],
  address: [
    'a message outside its memory',
    'put the address of the message into CRASH_P3 before CRASH_CTL names one',
  ],
  bits: ['bits of CRASH_CTL that are not supported', 'write only bits to CRASH_CTL that a read of it shows'],
  empty: ['no parameter', 'write CRASH_P0 to CRASH_P4 before CRASH_CTL'],
  late: ['parameters only after the report', 'write CRASH_P0 to CRASH_P4 before CRASH_CTL'],
  identity: ['no identity', 'report the crash before GUEST_OS_ID is cleared'],
};

/** R29: parameters first, then the report, with a message of at most a page. */
export const crashReport: Rule = {
  id: 'R29',
  severity: 'warning',
  title: 'A crash is reported in a way that its reader cannot use',
  meaning:
    'A guest that dies writes what it knows to CRASH_P0 to CRASH_P4 and then reports by CRASH_CTL. With the message bit CRASH_P3 is ' +
    'the address of a text and CRASH_P4 its length, at most a page: a host that believes a wild length reads or allocates what is not ' +
    'there. Only bits that CRASH_CTL shows when it is read may be set, and GUEST_OS_ID must still say who reports.',
  silent: [
    'Without the message bit CRASH_P3 and CRASH_P4 are plain data.',
    'The parameters are written in any order before CRASH_CTL, and again before a second report.',
    'CRASH_CTL is written without the notify bit.',
    'The recording began mid-life or has a gap: parameters may have been written before.',
  ],
  source:
    'TLFS, guest crash enlightenment MSRs (HV_X64_MSR_CRASH_P0 to CRASH_P4, CRASH_CTL); Linux 7.2 arch/x86/hyperv/hv_init.c ' +
    '(hyperv_report_panic), drivers/hv/hv_common.c; OpenVMM PR 1953',
  watches: [{ kind: 'msr', msrs: [...PARAMETERS, CONTROL, GUEST_OS_ID] }, 'mark'],
  needs: ['msr'],
  judge(input) {
    const pages = input.tracker(PAGES);
    const reports = new Map<PagesOfPartition, Report>();
    const findings = new OpenFindings(crashReport.id, input);
    let complete = input.profile.initial === 'reset';

    function found(
      mistake: Mistake,
      { vp }: Report,
      { component, moment: culprit }: Deed,
      proof?: Parameter,
    ): void {
      const cause = [component, mistake];
      const about =
        vp?.partition === undefined || vp.vp === undefined ? {} : { partition: vp.partition, vp: vp.vp };
      const finding = findings.of({ cause, severity: 'warning', component, culprit, ...about });
      if (finding.concerns(cellOf(vp)) && proof !== undefined) finding.prove(proof.moment);
    }

    function reported(value: bigint, report: Report, partition: PagesOfPartition, deed: Deed): void {
      const { values, supported = 0n } = report;
      const isMessage = (value & MESSAGE) !== 0n;
      const [address, length] = [values[ADDRESS], values[LENGTH]];
      if ((value & (supported === 0n ? RESERVED : ~supported)) !== 0n) found('bits', report, deed);
      if (isMessage && (length?.value ?? 0n) > PAGE_BYTES) found('length', report, deed, length);
      if (isMessage && (address?.value ?? 0n) >> BigInt(input.profile.gpaBits) !== 0n) {
        found('address', report, deed, address);
      }
      if (complete && values.every((parameter) => parameter === undefined)) found('empty', report, deed);
      if (partition.identity === 0n && partition.identityIsSeen) found('identity', report, deed);
      values.fill(undefined);
      report.late = undefined;
      report.reported = deed;
    }

    function access({ msr, dir, value, vp, component, fault }: MsrEvent, partition: PagesOfPartition): void {
      if (value === undefined || fault === true || msr === GUEST_OS_ID) return;
      const report = reports.get(partition) ?? newReport(vp);
      if (reports.size < MAX_PARTITIONS) reports.set(partition, report);
      const deed = { component: component ?? (vp === undefined ? 'unknown' : 'guest'), moment: input.now() };
      if (msr !== CONTROL) {
        if (dir === 'read') return;
        report.values[msr - FIRST] = { value, moment: deed.moment };
        if (report.reported !== undefined) report.late = deed;
      } else if (dir === 'read') report.supported = value;
      else if ((value & NOTIFY) !== 0n) reported(value, report, partition, deed);
    }

    return {
      step({ event }) {
        if (event.kind === 'msr') {
          const partition = pages.partitionOf(event);
          if (partition !== undefined) access(event, partition);
        } else if (event.kind === 'mark' && event.what === 'gap') {
          complete = false;
          reports.clear();
        }
      },
      end() {
        for (const report of reports.values())
          if (report.late !== undefined) found('late', report, report.late);
        for (const finding of findings.all()) {
          const { component, cause } = finding.root;
          const [what, fix] = SAYS[cause[1] as Mistake];
          input.report(finding.close(`${component} reports a crash with ${what}`, `let ${component} ${fix}`));
        }
      },
    };
  },
};

function cellOf(vp: VpRef | undefined): string {
  return vp === undefined
    ? `cpu[0].msr[${hexOf(CONTROL)}]`
    : `partition[${vp.partition}].vp[${vp.vp}].reg.crashControl`;
}

function newReport(vp: VpRef | undefined): Report {
  return {
    vp,
    values: PARAMETERS.map(() => undefined),
    supported: undefined,
    late: undefined,
    reported: undefined,
  };
}
