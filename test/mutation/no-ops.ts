/** What a change of a stimulus cannot show, each by its kind and with its reason. */
import type { TraceEvent } from '../../engine/trace/event.ts';

interface NoOp {
  /** Of the name of a field (stimuli.ts), or of what was done with the event. */
  readonly field: RegExp;
  /** Of what else it is true; `isIdle`: the event and what stands below it changed no cell. */
  readonly when?: (event: TraceEvent, isIdle: boolean) => boolean;
  readonly reason: string;
}

/** A call that was refused, or an access that faulted. */
function isRefused(event: TraceEvent): boolean {
  switch (event.kind) {
    case 'ioctl':
    case 'fd':
      return typeof event.ret === 'number' && event.ret < 0;
    case 'hypercall':
      return event.fault === true || (event.result !== undefined && event.result.status !== 0);
    case 'msr':
      return event.fault === true;
    default:
      return false;
  }
}

/** The first that fits is the reason. */
const NO_OPS: readonly NoOp[] = [
  {
    field: / dropped$/,
    reason:
      'an event that changed no cell (a read, a call that was refused, a step that finds nothing to do) leaves nothing behind',
  },
  {
    field: / swapped$/,
    reason: 'the two change different cells and both are answered as before: they commute',
  },
  { field: / note$/, reason: 'a remark for readers' },
  { field: / tid$/, reason: 'nothing belongs to a thread' },
  { field: /^mark /, reason: 'added by instrumentation, never a stimulus' },
  {
    field: / t$/,
    reason: 'a nanosecond: the engine looks at time where a clock is read, a timer runs or a call returns',
  },
  {
    field: /^(?!fd|ioctl|lifecycle process-).* pid$/,
    reason: 'files and memory belong to a process, registers, CPUs and the kernel to none',
  },
  {
    field: /^(?:ioctl|fd) .*pid$/,
    reason: 'the handle says which file it is; a process counts for what it opens and closes',
  },
  {
    field: /^(?!lifecycle component-).* component$/,
    reason: 'who makes a call or access matters where its cells have an owner, and to the rules',
  },
  {
    field: /^(?:ioctl|fd|hypercall) .* cpu$/,
    reason: 'a call of a process or about another object is the same on every CPU',
  },
  {
    field: / vtl$/,
    reason: 'calls and registers of the caller\u2019s own VTL are meant; a call names others in its input',
  },
  {
    field: / fd$/,
    reason: 'the handle says which file it is',
  },
  {
    field: /^fd mmap /,
    reason:
      'a mapping is the process\u2019s affair: it changes no cell, and whether and where it succeeds is bound',
  },
  {
    field: /^fd eventfd-signal /,
    reason:
      'the count added does not matter to an irqfd; an eventfd bound to nothing is another program\u2019s, and nothing below it is judged',
  },
  {
    field: /^hypercall .* control\.nested$/,
    reason: 'says to which of two hypervisors a call goes; the engine keeps one',
  },
  {
    field: /^hypercall HVCALL_POST_MESSAGE input\.connectionid$/,
    reason: 'which connections a host has opened to this partition is not in the trace',
  },
  {
    field: /^hypercall HVCALL_POST_MESSAGE input\.(?:payload\.|payload_size|padding|not named)/,
    reason:
      'what VMBus tells its host of pages, sizes and tags is not interpreted: channels and GPADLs are followed by their ids',
  },
  {
    field: /^ioctl .* arg\.(?:\w+_ptr|bitmap|names|values|userspace_addr)$/,
    reason: 'an address in the caller\u2019s memory; what lies there is recorded as in and out',
  },
  {
    field: /^ioctl .* (?:arg|in)\.(?:.*reserved\w*|.*padding|.*rsvd\w*|@0x\w+|not named)$/,
    reason: 'padding that Linux does not look at',
  },
  {
    field: /^ioctl MSHV_[GS]ET_VP_REGISTERS (?:in\.elements\[\]|arg\.count)/,
    reason:
      'of a register that is the processor\u2019s own no call is made; of a read only the name counts; elements that the record lacks are not read',
  },
  {
    field: /^ioctl MSHV_CHECK_EXTENSION arg\.value$/,
    reason: 'of the argument 32 bits are read, and whether the hypervisor has what is asked for is bound',
  },
  {
    field: /^ioctl MSHV_CREATE_PARTITION arg\.disabled_/,
    reason: 'the driver of 2020 writes zeros for processor features, whatever it was given',
  },
  { field: /^ioctl MSHV_[GS]ET_VP_STATE arg\.buf_sz$/, reason: 'a larger buffer than the state needs' },
  {
    field: /^ioctl MSHV_(?:ROOT_)?HVCALL arg\.(?:status|out_sz|output_size)$/,
    reason: 'written back, or more room than is used',
  },
  {
    field: /^ioctl MSHV_ROOT_HVCALL in\.partition_id$/,
    reason: 'the driver puts in the id of its own partition',
  },
  { field: /^ioctl MSHV_IOEVENTFD arg\.datamatch$/, reason: 'looked at with the flag DATAMATCH alone' },
  { field: /^ioctl MSHV_IRQFD arg\.resamplefd$/, reason: 'looked at with the flag RESAMPLE alone' },
  {
    field: /^ioctl MSHV_(?:SET|UNMAP)_GUEST_MEMORY arg\.flags$/,
    reason: 'of an unmapping the other flags say nothing',
  },
  { field: /^ioctl MSHV_SINT_PAUSE_MESSAGE_STREAM arg\.mask$/, reason: 'pauses with any bit set' },
  {
    field: /^ioctl MSHV_SINT_POST_MESSAGE arg\.message_type$/,
    reason: 'of the message type the hypercall takes 32 bits',
  },
  { field: /^ioctl MSHV_SINT_SET_EVENTFD arg\.fd$/, reason: 'any negative number takes the eventfd away' },
  { field: /^fd open path$/, reason: 'the handle that the call returned says what was opened' },
  { field: /^msr read cpu$/, reason: 'the register of another CPU holds the same' },
  {
    field: /^lifecycle (?:kexec|reboot|crash|suspend|resume|power-off) cpu$/,
    reason: 'of the whole machine',
  },
  { field: /^lifecycle .* fail$/, reason: 'a step that does not occur does not fail' },
  { field: /^lifecycle .* partition$/, reason: 'says something of partition-reset, save and restore alone' },
  {
    field: /^lifecycle .* (?:what|phase|cpu|component)$/,
    when: (_event, isIdle) => isIdle,
    reason: 'a step that finds nothing to do, as the one in its place',
  },
  {
    field:
      / (?:cpu|control|arg|in|input|value|msr|handle|fd|op|inputGpa|outputGpa|slot|offset|size|path|code)/,
    when: isRefused,
    reason: 'a call that is refused: what it gives beside what it is refused for is not looked at',
  },
];

/** Why a change shows nothing; undefined where it should have. */
export function noOpOf(field: string, event: TraceEvent, isIdle: boolean): string | undefined {
  return NO_OPS.find((each) => each.field.test(field) && (each.when?.(event, isIdle) ?? true))?.reason;
}

/** All the reasons there are. */
export const NO_OP_REASONS: readonly string[] = NO_OPS.map(({ reason }) => reason);
