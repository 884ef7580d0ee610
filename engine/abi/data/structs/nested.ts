import { structTable } from '../../layout/table.ts';

/** Nested virtualisation: enlightened VMCS and VMCB. Format: ./README.md. */
export const NESTED_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
struct hv_nested_enlightenments_control 8
  0 features struct(4)
    0 - u32
      [0] directhypercall
      [1..31] reserved
  4 hypercall_controls struct(4)
    4 - u32
      [0] inter_partition_comm
      [1..31] reserved
struct hv_enlightened_vmcs 1024
  0 revision_id u32
  4 abort u32
  8 host_es_selector u16
  10 host_cs_selector u16
  12 host_ss_selector u16
  14 host_ds_selector u16
  16 host_fs_selector u16
  18 host_gs_selector u16
  20 host_tr_selector u16
  22 padding16_1 u16
  24 host_ia32_pat u64
  32 host_ia32_efer u64
  40 host_cr0 u64
  48 host_cr3 u64
  56 host_cr4 u64
  64 host_ia32_sysenter_esp u64
  72 host_ia32_sysenter_eip u64
  80 host_rip u64 gva
  88 host_ia32_sysenter_cs u32
  92 pin_based_vm_exec_control u32
  96 vm_exit_controls u32
  100 secondary_vm_exec_control u32
  104 io_bitmap_a u64
  112 io_bitmap_b u64
  120 msr_bitmap u64
  128 guest_es_selector u16
  130 guest_cs_selector u16
  132 guest_ss_selector u16
  134 guest_ds_selector u16
  136 guest_fs_selector u16
  138 guest_gs_selector u16
  140 guest_ldtr_selector u16
  142 guest_tr_selector u16
  144 guest_es_limit u32
  148 guest_cs_limit u32
  152 guest_ss_limit u32
  156 guest_ds_limit u32
  160 guest_fs_limit u32
  164 guest_gs_limit u32
  168 guest_ldtr_limit u32
  172 guest_tr_limit u32
  176 guest_gdtr_limit u32
  180 guest_idtr_limit u32
  184 guest_es_ar_bytes u32
  188 guest_cs_ar_bytes u32
  192 guest_ss_ar_bytes u32
  196 guest_ds_ar_bytes u32
  200 guest_fs_ar_bytes u32
  204 guest_gs_ar_bytes u32
  208 guest_ldtr_ar_bytes u32
  212 guest_tr_ar_bytes u32
  216 guest_es_base u64
  224 guest_cs_base u64
  232 guest_ss_base u64
  240 guest_ds_base u64
  248 guest_fs_base u64
  256 guest_gs_base u64
  264 guest_ldtr_base u64
  272 guest_tr_base u64
  280 guest_gdtr_base u64
  288 guest_idtr_base u64
  296 padding64_1 u64[3]
  320 vm_exit_msr_store_addr u64
  328 vm_exit_msr_load_addr u64
  336 vm_entry_msr_load_addr u64
  344 cr3_target_value0 u64
  352 cr3_target_value1 u64
  360 cr3_target_value2 u64
  368 cr3_target_value3 u64
  376 page_fault_error_code_mask u32
  380 page_fault_error_code_match u32
  384 cr3_target_count u32
  388 vm_exit_msr_store_count u32
  392 vm_exit_msr_load_count u32
  396 vm_entry_msr_load_count u32
  400 tsc_offset u64
  408 virtual_apic_page_addr u64
  416 vmcs_link_pointer u64
  424 guest_ia32_debugctl u64
  432 guest_ia32_pat u64
  440 guest_ia32_efer u64
  448 guest_pdptr0 u64
  456 guest_pdptr1 u64
  464 guest_pdptr2 u64
  472 guest_pdptr3 u64
  480 guest_pending_dbg_exceptions u64
  488 guest_sysenter_esp u64
  496 guest_sysenter_eip u64
  504 guest_activity_state u32
  508 guest_sysenter_cs u32
  512 cr0_guest_host_mask u64
  520 cr4_guest_host_mask u64
  528 cr0_read_shadow u64
  536 cr4_read_shadow u64
  544 guest_cr0 u64
  552 guest_cr3 u64
  560 guest_cr4 u64
  568 guest_dr7 u64
  576 host_fs_base u64
  584 host_gs_base u64
  592 host_tr_base u64
  600 host_gdtr_base u64
  608 host_idtr_base u64
  616 host_rsp u64
  624 ept_pointer u64
  632 virtual_processor_id u16
  634 padding16_2 u16[3]
  640 padding64_2 u64[5]
  680 guest_physical_address u64 gpa
  688 vm_instruction_error u32
  692 vm_exit_reason u32
  696 vm_exit_intr_info u32
  700 vm_exit_intr_error_code u32
  704 idt_vectoring_info_field u32
  708 idt_vectoring_error_code u32
  712 vm_exit_instruction_len u32
  716 vmx_instruction_info u32
  720 exit_qualification u64
  728 exit_io_instruction_ecx u64
  736 exit_io_instruction_esi u64
  744 exit_io_instruction_edi u64
  752 exit_io_instruction_eip u64
  760 guest_linear_address u64
  768 guest_rsp u64
  776 guest_rflags u64
  784 guest_interruptibility_info u32
  788 cpu_based_vm_exec_control u32
  792 exception_bitmap u32
  796 vm_entry_controls u32
  800 vm_entry_intr_info_field u32
  804 vm_entry_exception_error_code u32
  808 vm_entry_instruction_len u32
  812 tpr_threshold u32
  816 guest_rip u64 gva
  824 hv_clean_fields u32
  828 padding32_1 u32
  832 hv_synthetic_controls u32
  836 hv_enlightenments_control struct(4)
    836 - u32
      [0] nested_flush_hypercall
      [1] msr_bitmap
      [2..31] reserved
  840 hv_vp_id u32
  844 padding32_2 u32
  848 hv_vm_id u64
  856 partition_assist_page u64
  864 padding64_4 u64[4]
  896 guest_bndcfgs u64
  904 guest_ia32_perf_global_ctrl u64
  912 guest_ia32_s_cet u64
  920 guest_ssp u64
  928 guest_ia32_int_ssp_table_addr u64
  936 guest_ia32_lbr_ctl u64
  944 padding64_5 u64[2]
  960 xss_exit_bitmap u64
  968 encls_exiting_bitmap u64
  976 host_ia32_perf_global_ctrl u64
  984 tsc_multiplier u64
  992 host_ia32_s_cet u64
  1000 host_ssp u64
  1008 host_ia32_int_ssp_table_addr u64
  1016 padding64_6 u64
struct hv_enlightenments_control 4
  0 - u32
    [0] nested_flush_hypercall
    [1] msr_bitmap
    [2] enlightened_npt_tlb
    [3..31] reserved
struct hv_vmcb_enlightenments 32
  0 hv_enlightenments_control hv_enlightenments_control
  4 hv_vp_id u32
  8 hv_vm_id u64
  16 partition_assist_page u64
  24 reserved u64
struct hv_partition_assist_pg 4
  0 tlb_lock_count u32
`,
  ),
];
