import {
  constant,
  decodeControl,
  type FieldHandle,
  fieldOf,
  hypercalls,
  lowHalf,
  msrs,
  readU32,
  readU64,
} from '../abi/index.ts';
import type { HypercallEvent, MsrEvent } from '../trace/event.ts';
import type { Profile } from '../trace/profile.ts';
import { CaseBook } from './case-book.ts';
import { judgeIsolatedPages } from './isolated-pages.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { makerOf, shownBeside } from './track/maker.ts';
import { requests } from './track/requests.ts';

const IMPORT = hypercalls.number('IMPORT_ISOLATED_PAGES');
const COMPLETE = hypercalls.number('COMPLETE_ISOLATED_IMPORT');
const ASSERT = hypercalls.number('ASSERT_VIRTUAL_INTERRUPT');

/** Where calls that send an interrupt to the caller's own partition have its vector and, where they name it, the partition. */
const DEVICE_CALLS: ReadonlyMap<number, { readonly vector: FieldHandle; readonly id?: FieldHandle }> =
  new Map([
    [
      hypercalls.number('MAP_DEVICE_INTERRUPT') as number,
      {
        vector: fieldOf('hv_input_map_device_interrupt', 'interrupt_descriptor.target.vector'),
        id: fieldOf('hv_input_map_device_interrupt', 'partition_id'),
      },
    ],
    [
      hypercalls.number('RETARGET_INTERRUPT') as number,
      {
        vector: fieldOf('hv_retarget_device_interrupt', 'int_target.vector'),
        id: fieldOf('hv_retarget_device_interrupt', 'partition_id'),
      },
    ],
    [hypercalls.number('SEND_IPI') as number, { vector: fieldOf('hv_send_ipi', 'vector') }],
    [hypercalls.number('SEND_IPI_EX') as number, { vector: fieldOf('hv_send_ipi_ex', 'vector') }],
  ]);
const VECTOR_MSRS = [
  ...Array.from({ length: 16 }, (_, i) => msrs.number(`SINT${i}`) as number),
  ...Array.from({ length: 4 }, (_, i) => msrs.number(`STIMER${i}_CONFIG`) as number),
];

/** R25: a value may be well formed and still be forbidden here, or mean something else. */
export const valueDomains: Rule = {
  id: 'R25',
  severity: 'error',
  title: 'A well-formed value is forbidden here, or means something else',
  meaning:
    'Interrupt vectors below 16 are the exceptions of the architecture: no SINT, timer, IPI, device interrupt or asserted interrupt may have ' +
    'one. In a root partition the hypervisor keeps vectors 0x29, 0x2C and 0x2D for itself (debugger and asserts): a device interrupt on one of them ' +
    'stops the hypervisor. Pages of an isolated partition are imported with a type; secrets page and CPUID page have types of their own, there is ' +
    'one of each, and a launch without them fails at its completion.',
  silent: [
    'A masked SINT has vector 0 at reset.',
    'A child guest uses vectors 0x29, 0x2C and 0x2D for itself.',
    'An NMI, an SMI or an INIT is asserted: its vector is 0.',
    'A timer that sends messages has no vector; nor has one that is disabled.',
    'A guest that carries no secrets page, whose launch succeeds.',
  ],
  source:
    'TLFS, SINTx and synthetic timer registers, HvCallSendSyntheticClusterIpi, HvCallAssertVirtualInterrupt; Linux commit “x86/hyperv: Reserve 3 interrupt vectors ' +
    'used exclusively by MSHV”; rust-vmm mshv hv_isolated_page_type; cloud-hypervisor commit 7d24608bc',
  watches: [
    { kind: 'hypercall', codes: [ASSERT, IMPORT, COMPLETE, ...DEVICE_CALLS.keys()] },
    { kind: 'msr', msrs: VECTOR_MSRS },
    {
      kind: 'ioctl',
      ops: [...requests('MSHV_IMPORT_ISOLATED_PAGES'), ...requests('MSHV_COMPLETE_ISOLATED_IMPORT')],
    },
  ],
  needs: [],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const isolated = judgeIsolatedPages(valueDomains.id, input, callers);
    const cases = new CaseBook(valueDomains.id, input);

    function report({ kind, where, what, fix }: Wrong, component: string, culprit: Moment): void {
      const root = { cause: [component, kind, where], severity: 'error', component, culprit } as const;
      const words = { title: `${component} ${what}`, fix: `let ${component} ${fix}` };
      cases.open({ ...root, ...shownBeside(culprit, input.now()) }, words);
    }

    return {
      step(step, store) {
        const { event } = step;
        if (event.kind === 'msr') {
          const wrong = wrongMsr(event);
          const component = event.component ?? (event.vp === undefined ? 'unknown' : 'guest');
          if (wrong !== undefined && component !== 'unknown') {
            report(wrong, component, input.now());
          }
          return;
        }
        isolated.step(step, store);
        if (event.kind !== 'hypercall' || event.input === undefined) return;
        const wrong = wrongCall(event, event.input, input.profile);
        if (wrong === undefined) return;
        const maker = makerOf(callers, step, event, input.now);
        // A kernel asserts what the routes of the program say.
        const isRouted = maker?.component === 'mshv' && wrong.kind === 'asserted';
        if (maker !== undefined) report(wrong, isRouted ? 'vmm' : maker.component, maker.moment);
      },
      end() {
        cases.report();
        isolated.end();
      },
    };
  },
};

interface Wrong {
  readonly kind: 'exception-vector' | 'asserted' | 'hypervisor-vector';
  readonly where: string;
  readonly what: string;
  readonly fix: string;
}

/** Vectors of exceptions (Intel SDM 3, 6.2; TLFS: an interrupt vector is at least 16). */
const FIRST_VECTOR = 16;
const PICK = 'take a vector from 16 on';
const hex = (vector: number): string => `0x${vector.toString(16)}`;

const SINT = { masked: 1 << 16, polling: 1 << 18, vector: 0xff };
const TIMER = { enabled: 1, direct: 1 << 12, vector: 0xff, shift: 4 };

function wrongMsr({ dir, msr, value }: MsrEvent): Wrong | undefined {
  if (dir !== 'write' || value === undefined) return undefined;
  const low = lowHalf(value);
  const name = msrs.find(msr)?.abiName ?? '';
  if (name.startsWith('SINT')) {
    const vector = low & SINT.vector;
    if ((low & (SINT.masked | SINT.polling)) !== 0 || vector >= FIRST_VECTOR) return undefined;
    return {
      kind: 'exception-vector',
      where: name,
      what: `unmasks ${name} with vector ${vector}`,
      fix: PICK,
    };
  }
  const vector = (low >>> TIMER.shift) & TIMER.vector;
  const on = TIMER.enabled | TIMER.direct;
  if ((low & on) !== on || vector >= FIRST_VECTOR) return undefined;
  return {
    kind: 'exception-vector',
    where: name,
    what: `starts a timer in direct mode with vector ${vector}`,
    fix: PICK,
  };
}

const ASSERTED = {
  type: fieldOf('hv_input_assert_virtual_interrupt', 'control.interrupt_type'),
  vector: fieldOf('hv_input_assert_virtual_interrupt', 'vector'),
};
/** Fixed, lowest priority: those of which the vector counts. */
const VECTORED = new Set([0, 1]);
/** Debugger and asserts (Linux, arch/x86/hyperv: hv_reserve_irq_vectors). */
const OF_HYPERVISOR = new Set([0x29, 0x2c, 0x2d]);
const SELF = constant('HV_PARTITION_ID_SELF');
/** The id of the root partition, as it is told of itself. */
const ROOT = 1n;

function wrongCall(event: HypercallEvent, given: Uint8Array, { role }: Profile): Wrong | undefined {
  const { code } = decodeControl(event.control);
  const where = hypercalls.name(code);
  if (code === ASSERT) {
    const vector = readU32(given, ASSERTED.vector);
    if (vector >= FIRST_VECTOR || !VECTORED.has(readU32(given, ASSERTED.type))) return undefined;
    return { kind: 'asserted', where, what: `asserts an interrupt with vector ${vector}`, fix: PICK };
  }
  const fields = DEVICE_CALLS.get(code);
  if (fields === undefined) return undefined;
  const vector = readU32(given, fields.vector);
  if (vector < FIRST_VECTOR) {
    return {
      kind: 'exception-vector',
      where,
      what: `gives ${where} vector ${vector}, which is an exception's`,
      fix: PICK,
    };
  }
  const id = fields.id === undefined ? undefined : readU64(given, fields.id);
  const isRoot = role === 'root' && event.vp === undefined && (id === SELF || id === ROOT);
  if (!isRoot || !OF_HYPERVISOR.has(vector)) return undefined;
  return {
    kind: 'hypervisor-vector',
    where,
    what: `puts a device interrupt on vector ${hex(vector)}, which the hypervisor keeps for itself in a root partition`,
    fix: 'keep vectors 0x29, 0x2c and 0x2d free of devices in a root partition',
  };
}
