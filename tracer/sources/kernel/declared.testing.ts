/**
 * What the TRACE_EVENTs of kernels declare, as `type name` lists: Linux 7.2 drivers/hv/mshv_trace.h, arch/x86/kvm/trace.h,
 * arch/x86/include/asm/msr-trace.h.
 */
const MSHV = `
mshv_create_partition: u64 partition_id, int vm_fd
mshv_hvcall_create_partition: u64 flags, s64 partition_id
mshv_hvcall_initialize_partition: u64 partition_id, u64 status
mshv_partition_release: u64 partition_id
mshv_destroy_partition: u64 partition_id
mshv_hvcall_finalize_partition: u64 partition_id, u64 status
mshv_hvcall_withdraw_memory: u64 partition_id, u64 withdrawn, u64 status
mshv_hvcall_delete_partition: u64 partition_id, u64 status
mshv_create_vp: u64 partition_id, u32 vp_index, long vp_fd
mshv_hvcall_map_vp_state_page: u64 partition_id, u32 vp_index, u32 page_type, u64 status
mshv_drain_vp_signals: u64 partition_id, u32 vp_index
mshv_disable_vp_dispatch: u64 partition_id, u32 vp_index, int ret
mshv_vp_release: u64 partition_id, u32 vp_index
mshv_run_vp_entry: u64 partition_id, u32 vp_index
mshv_run_vp_exit: u64 partition_id, u32 vp_index, u64 hv_message_type, long ret
mshv_vp_clear_explicit_suspend: u64 partition_id, u32 vp_index, int ret
mshv_xfer_to_guest_mode_work: u64 partition_id, u32 vp_index, unsigned long thread_info_flag, long ret
mshv_hvcall_dispatch_vp: u64 partition_id, u32 vp_index, u32 flags, u32 dispatch_state, u32 dispatch_event, u64 irq_vectors, u64 status
mshv_update_routing_table: u64 partition_id, void* old, void* new, u32 numents
mshv_map_user_memory: u64 partition_id, u64 start_uaddr, u64 start_gfn, u64 nr_pages, u32 map_flags, long ret
mshv_assign_ioeventfd: u64 partition_id, u64 addr, u64 length, u64 datamatch, bool wildcard, void* eventfd, int ret
mshv_deassign_ioeventfd: u64 partition_id, u64 addr, u64 length, u64 datamatch, bool wildcard, void* eventfd
mshv_vp_wait_for_hv_kick: u64 partition_id, u32 vp_index, bool kicked_by_hv, bool blocked, bool irq_pending
mshv_handle_gpa_intercept: u64 partition_id, u32 vp_index, u64 gfn, u8 access_type, bool handled
`;

const KVM = `
kvm_msr: unsigned write, u32 ecx, u64 data, u8 exception
kvm_hv_synic_set_msr: int vcpu_id, u32 msr, u64 data, bool host
kvm_hv_hypercall: __u16 rep_cnt, __u16 rep_idx, __u64 ingpa, __u64 outgpa, __u16 code, __u16 var_cnt, bool fast
kvm_hv_hypercall_done: __u64 result
kvm_hv_synic_set_irq: int vcpu_id, u32 sint, int vector, int ret
kvm_hv_synic_send_eoi: int vcpu_id, int vector
kvm_hv_notify_acked_sint: int vcpu_id, u32 sint
kvm_hv_stimer_set_config: int vcpu_id, int timer_index, u64 config, bool host
kvm_hv_stimer_set_count: int vcpu_id, int timer_index, u64 count, bool host
kvm_hv_stimer_start_periodic: int vcpu_id, int timer_index, u64 time_now, u64 exp_time
kvm_hv_stimer_start_one_shot: int vcpu_id, int timer_index, u64 time_now, u64 count
kvm_hv_stimer_expiration: int vcpu_id, int timer_index, int direct, int msg_send_result
kvm_hv_stimer_callback: int vcpu_id, int timer_index
kvm_hv_stimer_cleanup: int vcpu_id, int timer_index
kvm_hv_timer_state: unsigned vcpu_id, unsigned hv_timer_in_use
kvm_hv_flush_tlb: u64 processor_mask, u64 address_space, u64 flags, bool guest_mode
kvm_hv_flush_tlb_ex: u64 valid_bank_mask, u64 format, u64 address_space, u64 flags, bool guest_mode
kvm_hv_send_ipi: u32 vector, u64 processor_mask
kvm_hv_send_ipi_ex: u32 vector, u64 format, u64 valid_bank_mask
kvm_hv_syndbg_get_msr: int vcpu_id, u32 vp_index, u32 msr, u64 data
kvm_hv_syndbg_set_msr: int vcpu_id, u32 vp_index, u32 msr, u64 data
`;

const MSR = `
read_msr: unsigned msr, u64 val, int failed
write_msr: unsigned msr, u64 val, int failed
rdpmc: unsigned msr, u64 val, int failed
`;

export interface DeclaredEvent {
  readonly system: string;
  readonly name: string;
  readonly fields: readonly (readonly [type: string, name: string])[];
}

function declared(system: string, text: string): DeclaredEvent[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', fields = ''] = line.split(': ');
      return {
        system,
        name,
        fields: fields.split(', ').map((field) => {
          const space = field.lastIndexOf(' ');
          return [field.slice(0, space), field.slice(space + 1)] as const;
        }),
      };
    });
}

export const DECLARED: readonly DeclaredEvent[] = [
  ...declared('mshv', MSHV),
  ...declared('kvm', KVM),
  ...declared('msr', MSR),
];
