import { decodeControl, decodeResult } from '../../../engine/abi/index.ts';
import { type FieldPrint, fastInput, inWords, noted, numberOf, type SourceRow, unsigned } from './told.ts';

/** A function of the kernel that a probe is set on, where no trace point shows what passes through it. */
export interface Probe {
  readonly symbol: string;
  /** Names of its arguments in order; the probe fetches those whose name is not `_`. */
  readonly args: readonly {
    readonly name: string;
    readonly type: string;
    readonly base: FieldPrint['base'];
  }[];
  readonly atReturn: boolean;
  /** Set only where the kernel has none of these functions: they call this one, or show the same. */
  readonly unless: readonly string[];
  readonly row: Omit<SourceRow, 'system' | 'name'>;
}

const TYPES: Readonly<Record<string, { readonly type: string; readonly base: FieldPrint['base'] }>> = {
  u32: { type: 'x32', base: 'x' },
  u64: { type: 'x64', base: 'x' },
  int: { type: 's32', base: 'd' },
};

/** `reg:u32 value:u64` as arguments. */
function argsOf(text: string): Probe['args'] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [name = '', type = 'u64'] = word.split(':');
      return { name, ...(TYPES[type] ?? { type: 'x64', base: 'x' as const }) };
    });
}

function probe(
  symbol: string,
  args: string,
  becomes: SourceRow['becomes'],
  why: string,
  more: Partial<Pick<Probe, 'atReturn' | 'unless'>> & { readonly tell?: SourceRow['tell'] } = {},
): Probe {
  const list = argsOf(args);
  const fields = list.filter(({ name }) => name !== '_').map(({ name, base }) => ({ name, base }));
  const note: SourceRow['tell'] = (values) => noted({ text: inWords(symbol, fields, values) });
  const { atReturn = false, unless = [], tell = note } = more;
  return { symbol, args: list, atReturn, unless, row: { fields, becomes, why, tell } };
}

const msrWrite: SourceRow['tell'] = (fields) => ({
  kind: 'event',
  ahead: true,
  body: {
    kind: 'msr',
    dir: 'write',
    msr: Number(unsigned(fields('reg'), 32)),
    value: unsigned(fields('value'), 64),
  },
});

const hypercall: SourceRow['tell'] = (fields) => {
  const control = unsigned(fields('control'), 64);
  const [first, second] = [unsigned(fields('input'), 64), unsigned(fields('output'), 64)];
  const where = decodeControl(control).fast
    ? { input: fastInput(control, first, second) }
    : { inputGpa: first, outputGpa: second };
  return { kind: 'entry', call: 'hypercall', body: { kind: 'hypercall', control, ...where } };
};

const hypercallReturn: SourceRow['tell'] = (fields) => {
  const { status, repsCompleted } = decodeResult(unsigned(fields('ret'), 64));
  return { kind: 'return', call: 'hypercall', answer: { result: { status, reps: repsCompleted } } };
};

function vmbusStep(what: 'component-start' | 'component-stop', phase: 'begin' | 'end'): SourceRow['tell'] {
  return (fields) => {
    const ret = phase === 'end' ? { ret: numberOf(BigInt.asIntN(32, fields('ret') ?? 0n)) ?? 0 } : {};
    const cpu = numberOf(fields('cpu'));
    const where = cpu === undefined ? {} : { cpu };
    return {
      kind: 'event',
      body: { kind: 'lifecycle', what, component: 'vmbus', phase, ...where, ...ret },
    };
  };
}

const MSR_WHY = 'writes through the helpers of Hyper-V have no trace point on the newest kernels';

/** Functions in the order in which their probes are set (Linux 7.2 arch/x86/hyperv, drivers/hv). */
export const PROBES: readonly Probe[] = [
  probe('hv_set_non_nested_msr', 'reg:u32 value:u64', 'msr', MSR_WHY, { tell: msrWrite }),
  probe('hv_set_msr', 'reg:u32 value:u64', 'msr', `${MSR_WHY}; it calls hv_set_non_nested_msr`, {
    tell: msrWrite,
    unless: ['hv_set_non_nested_msr'],
  }),
  probe(
    'hv_std_hypercall',
    'control:u64 input:u64 output:u64',
    'hypercall',
    'all hypercalls pass here; of slow ones the addresses are known, not the contents',
    { tell: hypercall },
  ),
  probe('hv_std_hypercall', '', 'hypercall', 'its result', { atReturn: true, tell: hypercallReturn }),
  probe('hv_synic_init', 'cpu:u32', 'lifecycle', 'VMBus takes the SynIC of a CPU', {
    tell: vmbusStep('component-start', 'begin'),
  }),
  probe('hv_synic_init', '', 'lifecycle', 'and has it, or not', {
    atReturn: true,
    tell: vmbusStep('component-start', 'end'),
  }),
  probe('hv_synic_cleanup', 'cpu:u32', 'lifecycle', 'VMBus gives the SynIC of a CPU back', {
    tell: vmbusStep('component-stop', 'begin'),
  }),
  probe('hv_synic_cleanup', '', 'lifecycle', 'and has, or not', {
    atReturn: true,
    tell: vmbusStep('component-stop', 'end'),
  }),
  ...[
    ['hv_call_deposit_pages', 'node:int partition:u64 pages:u32'],
    ['hv_call_create_vp', 'node:int partition:u64 vp:u32 flags:u32'],
    ['hv_call_get_vp_registers', 'vp:u32 partition:u64 count:u32'],
    ['hv_call_set_vp_registers', 'vp:u32 partition:u64 count:u32'],
    ['hv_call_get_partition_property', 'partition:u64 code:u64'],
    ['hv_call_map_gpa_pages', 'partition:u64 gpa_page:u64 count:u64 flags:u32'],
    ['hv_call_unmap_gpa_pages', 'partition:u64 gpa_page:u64 count:u64 flags:u32'],
    ['hv_call_withdraw_memory', 'count:u64 node:int partition:u64'],
    ['hv_call_assert_virtual_interrupt', 'partition:u64 vector:u32 destination:u64 control:u64'],
    ['hv_call_notify_port_ring_empty', 'sint:u32'],
    ['vmbus_initiate_unload', 'crash:u32'],
  ].map(([symbol = '', args = '']) =>
    probe(symbol, args, 'note', 'what a slow hypercall that follows was made for, whose input is not seen'),
  ),
];
