import { decodeResult, encodeControl } from '../../../engine/abi/index.ts';
import type { VpRef } from '../../../engine/trace/handle.ts';
import {
  type Circumstances,
  type Fields,
  fastInput,
  fieldPrints,
  inWords,
  noted,
  numberOf,
  type SourceRow,
  unsigned,
} from './told.ts';

type Tell = SourceRow['tell'];

function vpOf(vp: number | undefined): { vp: VpRef } {
  return { vp: { partition: undefined, vp } };
}

/** The VP that a record names; the thread runs it from then on, unless user space asked. */
function named(fields: Fields, { learnVp, vp }: Circumstances): number | undefined {
  const id = numberOf(fields('vcpu_id'));
  if (id === undefined || id < 0) return vp;
  if ((fields('host') ?? 0n) === 0n) learnVp(id);
  return id;
}

function row(
  becomes: SourceRow['becomes'],
  name: string,
  prints: string,
  why: string,
  tell?: Tell,
): SourceRow {
  const fields = fieldPrints(prints);
  const note: Tell = (values, circumstances) =>
    noted({ text: inWords(name, fields, values), component: 'guest', ...vpOf(named(values, circumstances)) });
  return { system: 'kvm', name, fields, becomes, why, tell: tell ?? note };
}

const VCPU = 'vcpu_id:d';

const msr: Tell = (fields, { vp }) => ({
  kind: 'event',
  body: {
    kind: 'msr',
    component: 'guest',
    ...vpOf(vp),
    dir: (fields('write') ?? 0n) !== 0n ? 'write' : 'read',
    msr: Number(unsigned(fields('ecx'), 32)),
    value: unsigned(fields('data'), 64),
    fault: (fields('exception') ?? 0n) !== 0n,
  },
});

const setMsr: Tell = (fields, circumstances) => {
  const vp = named(fields, circumstances);
  if ((fields('host') ?? 0n) === 0n) return undefined;
  const value = unsigned(fields('data'), 64);
  const address = Number(unsigned(fields('msr'), 32));
  return {
    kind: 'event',
    body: { kind: 'msr', component: 'vmm', ...vpOf(vp), dir: 'write', msr: address, value },
  };
};

const hypercall: Tell = (fields, { vp }) => {
  const isFast = (fields('fast') ?? 0n) !== 0n;
  const [first, second] = [unsigned(fields('ingpa'), 64), unsigned(fields('outgpa'), 64)];
  const control = encodeControl({
    code: Number(unsigned(fields('code'), 16)),
    fast: isFast,
    variableHeaderQwords: Number(unsigned(fields('var_cnt'), 10)),
    repCount: Number(unsigned(fields('rep_cnt'), 12)),
    repStart: Number(unsigned(fields('rep_idx'), 12)),
  });
  const where = isFast
    ? { input: fastInput(control, first, second) }
    : { inputGpa: first, outputGpa: second };
  const body = { kind: 'hypercall' as const, component: 'guest', ...vpOf(vp), control, ...where };
  return { kind: 'entry', call: 'guest-hypercall', body };
};

const done: Tell = (fields) => {
  const { status, repsCompleted } = decodeResult(unsigned(fields('result'), 64));
  return {
    kind: 'return',
    call: 'guest-hypercall',
    answer: { result: { status, reps: repsCompleted } },
  };
};

const SET_IRQ_FIELDS = `${VCPU} sint:d vector:d ret:d`;

const setIrq: Tell = (fields, circumstances) => {
  const vp = vpOf(named(fields, circumstances));
  if ((fields('ret') ?? 0n) < 0n) {
    return noted({ text: inWords('kvm_hv_synic_set_irq', fieldPrints(SET_IRQ_FIELDS), fields), ...vp });
  }
  const sint = Number(unsigned(fields('sint'), 4));
  const vector = Number(unsigned(fields('vector'), 8));
  return { kind: 'event', body: { kind: 'message', what: 'interrupt', ...vp, sint, vector } };
};

/** What a guest says to the Hyper-V emulation of KVM (Linux 7.2 arch/x86/kvm/trace.h). */
export const KVM_ROWS: readonly SourceRow[] = [
  row('msr', 'kvm_msr', 'write:d ecx:x data:x exception:d', "a guest's access, with its answer", msr),
  row(
    'msr',
    'kvm_hv_synic_set_msr',
    `${VCPU} msr:x data:x host:d`,
    'a write by user space; that of a guest comes as kvm_msr, with its answer, and only its VP is taken from here',
    setMsr,
  ),
  row(
    'hypercall',
    'kvm_hv_hypercall',
    'code:x fast:d var_cnt:x rep_cnt:x rep_idx:x ingpa:x outgpa:x',
    'control word and words of the call; the nested bit is not in it',
    hypercall,
  ),
  row('hypercall', 'kvm_hv_hypercall_done', 'result:x', 'its result', done),
  row(
    'message',
    'kvm_hv_synic_set_irq',
    SET_IRQ_FIELDS,
    'the interrupt of a SINT, where it was delivered',
    setIrq,
  ),
  row('note', 'kvm_hv_synic_send_eoi', `${VCPU} vector:d`, 'an end of interrupt has no kind of its own'),
  row('note', 'kvm_hv_notify_acked_sint', `${VCPU} sint:d`, 'a step of KVM'),
  row(
    'note',
    'kvm_hv_stimer_set_config',
    `${VCPU} timer_index:d config:x host:d`,
    'a guest write is a kvm_msr too',
  ),
  row(
    'note',
    'kvm_hv_stimer_set_count',
    `${VCPU} timer_index:d count:d host:d`,
    'a guest write is a kvm_msr too',
  ),
  row('note', 'kvm_hv_stimer_start_periodic', `${VCPU} timer_index:d time_now:d exp_time:d`, 'a step of KVM'),
  row('note', 'kvm_hv_stimer_start_one_shot', `${VCPU} timer_index:d time_now:d count:d`, 'a step of KVM'),
  row(
    'note',
    'kvm_hv_stimer_expiration',
    `${VCPU} timer_index:d direct:d msg_send_result:d`,
    'the message itself is not in it',
  ),
  row('note', 'kvm_hv_stimer_callback', `${VCPU} timer_index:d`, 'a step of KVM'),
  row('note', 'kvm_hv_stimer_cleanup', `${VCPU} timer_index:d`, 'a step of KVM'),
  row('note', 'kvm_hv_timer_state', 'vcpu_id:d hv_timer_in_use:d', 'a step of KVM'),
  row(
    'note',
    'kvm_hv_flush_tlb',
    'processor_mask:x address_space:x flags:x',
    'the call itself is a kvm_hv_hypercall',
  ),
  row(
    'note',
    'kvm_hv_flush_tlb_ex',
    'valid_bank_mask:x format:x address_space:x flags:x',
    'the call itself is a kvm_hv_hypercall',
  ),
  row('note', 'kvm_hv_send_ipi', 'vector:x processor_mask:x', 'the call itself is a kvm_hv_hypercall'),
  row(
    'note',
    'kvm_hv_send_ipi_ex',
    'vector:x format:d valid_bank_mask:x',
    'the call itself is a kvm_hv_hypercall',
  ),
  row('note', 'kvm_hv_syndbg_get_msr', `${VCPU} vp_index:d msr:x data:x`, 'a guest access is a kvm_msr too'),
  row('note', 'kvm_hv_syndbg_set_msr', `${VCPU} vp_index:d msr:x data:x`, 'a guest access is a kvm_msr too'),
];
