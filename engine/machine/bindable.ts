/**
 * The declared list of outputs that cannot be known: what the hypervisor, the kernel's allocator or the guest
 * chose. Nothing else of a recorded answer is ever taken over; all the rest is checked.
 */
export const BINDABLE = {
  'partition-id': {
    what: 'HVCALL_CREATE_PARTITION output.partition_id; the handle of MSHV_CREATE_PARTITION; HVCALL_GET_PARTITION_ID output of a partition that is not the root',
    why: 'the hypervisor chooses partition ids',
  },
  'kernel-page': {
    what: 'base frame in a write of HV_X64_MSR_SIMP, HV_X64_MSR_SIEFP, HV_X64_MSR_SIRBP, HV_X64_MSR_VP_ASSIST_PAGE, HV_X64_MSR_HYPERCALL by the kernel that allocated the page; HVCALL_MAP_VP_STATE_PAGE input.requested_map_location, HVCALL_MAP_STATS_PAGE2 input.map_location; monitor pages in the INITIATE_CONTACT of HVCALL_POST_MESSAGE',
    why: 'the kernel’s page allocator chooses the frame',
  },
  'deposited-frames': {
    what: 'HVCALL_DEPOSIT_MEMORY input.gpa_page_list',
    why: 'the kernel’s page allocator chooses the frames',
  },
  'guest-frames': {
    what: 'HVCALL_MAP_GPA_PAGES input.source_gpa_page_list',
    why: 'the kernel’s memory management chooses the frames behind a process’s memory',
  },
  'region-kind': {
    what: 'HVCALL_MAP_GPA_PAGES input.map_flags of the first call for a region, which tells whether it is movable, pinned or a device’s; its elements and control word where they tell that pages are of 2 MiB',
    why: 'what is behind a process’s memory is not in the trace',
  },
  'hypervisor-page': {
    what: 'HVCALL_MAP_VP_STATE_PAGE output.map_location, HVCALL_MAP_STATS_PAGE output.map_location',
    why: 'the hypervisor chooses the frame of a page that it provides',
  },
  'withdrawn-frames': {
    what: 'HVCALL_WITHDRAW_MEMORY output.gpa_page_list',
    why: 'the hypervisor chooses which free pages it gives back, in which order',
  },
  'pool-balance': {
    what: 'HVCALL_GET_MEMORY_BALANCE output',
    why: 'how many pages the hypervisor’s objects take is not public',
  },
  'register-value': {
    what: 'HVCALL_GET_VP_REGISTERS output of a register that the guest may have changed unseen, that runs by itself, or that the hypervisor chose',
    why: 'what a guest does between two stops is not in the trace',
  },
  clock: {
    what: 'value read of HV_X64_MSR_TIME_REF_COUNT, HV_X64_MSR_VP_RUNTIME, HV_PARTITION_PROPERTY_REFERENCE_TIME, where it does not go back',
    why: 'how the clock of the trace and those of the hypervisor stand to each other is not in the trace',
  },
  told: {
    what: 'value read of HV_X64_MSR_TSC_FREQUENCY and HV_X64_MSR_APIC_FREQUENCY the first time, of HV_X64_MSR_CRASH_CTL and HV_X64_MSR_GUEST_IDLE',
    why: 'the hypervisor tells of itself and the processor',
  },
  'chosen-cpu': {
    what: 'target_vp in the MODIFYCHANNEL of HVCALL_POST_MESSAGE for a channel whose CPU goes offline',
    why: 'the kernel begins to look for another CPU at a random one',
  },
  'sleep-type': {
    what: 'HVCALL_SET_SYSTEM_PROPERTY input.set_sleep_state_info of HV_SYSTEM_PROPERTY_SLEEP_STATE, from pm1a_slp_typ on',
    why: 'the values that the chipset sleeps by are in the tables of the firmware',
  },
  'timer-expiry': {
    what: 'enable bit in a read of HV_X64_MSR_STIMER0_CONFIG to HV_X64_MSR_STIMER3_CONFIG of the own partition, of a one-shot timer that runs',
    why: 'when an interrupt of a timer came is not in the trace',
  },
  'cpuid-value': {
    what: 'HVCALL_GET_VP_CPUID_VALUES output under what was registered',
    why: 'it is what the processor says',
  },
  dispatch: {
    what: 'HVCALL_DISPATCH_VP output of a VP that nothing holds, but not that it is explicitly suspended',
    why: 'what the guest does until the dispatch ends is not in the trace',
  },
  'async-call': {
    what: 'status CALL_PENDING of HVCALL_SET_PARTITION_PROPERTY; without its completion in the trace the status of MSHV_ROOT_HVCALL',
    why: 'whether the hypervisor finishes a call at once is its choice',
  },
  intercept: {
    what: 'MSHV_RUN_VP result 0 and message, where no event shows the stop of the VP',
    why: 'what the guest does until it stops is not in the trace',
  },
  mapping: {
    what: 'result of an mmap that succeeds',
    why: 'the kernel chooses the address',
  },
  'page-rest': {
    what: 'MSHV_ROOT_HVCALL out.data behind the output of the call',
    why: 'it is what the kernel’s page held before',
  },
  'property-value': {
    what: 'HVCALL_GET_PARTITION_PROPERTY output of a property that was never set',
    why: 'the hypervisor and the processor choose it',
  },
  'page-access': {
    what: 'HVCALL_GET_GPA_PAGES_ACCESS_STATES output; MSHV_GET_GPAP_ACCESS_BITMAP out.data',
    why: 'which pages the guest touched is not in the trace',
  },
  'vp-state': {
    what: 'MSHV_GET_VP_STATE out.data and HVCALL_GET_VP_STATE output of a state that was neither set nor read since the guest ran, or of a VP with a timer that runs',
    why: 'the guest and the hypervisor change it',
  },
  'write-back': {
    what: 'result -EFAULT of a call whose record shows what it had to give back',
    why: 'which of its memory the caller may write is the process’s affair',
  },
  signal: {
    what: 'result -EINTR of a call that waits',
    why: 'whether and when a signal comes is the process’s affair',
  },
  allocator: {
    what: 'result -ENOMEM of an ioctl, where the profile says nothing of the kernel’s pages',
    why: 'what memory the kernel has left is not in the trace',
  },
  'file-descriptor': {
    what: 'result of a call that opens a file; result -EMFILE of MSHV_CREATE_PARTITION and MSHV_CREATE_VP',
    why: 'the lowest free number of the process, or that it has none, is not known: most of its files are not in the trace',
  },
} as const;

export type BindReason = keyof typeof BINDABLE;
