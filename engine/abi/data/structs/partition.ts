import { structTable } from '../../layout/table.ts';

/** Partitions and their properties. Format: ./README.md. */
export const PARTITION_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
struct hv_output_get_partition_id 8
  0 partition_id u64 partition
struct hv_partition_property_vmm_capabilities 16
  0 bank_count u16
  2 reserved u16[3]
  8 ~as_uint64 u64[1]
    [0] map_gpa_preserve_adjustable
    [1] vmm_can_provide_overlay_gpfn
    [2] vp_affinity_property
    [3] reservedbit3
    [4] assignable_synthetic_proc_features
    [5] reservedbit5
    [6] vmm_enable_integrated_scheduler
    [7..63] reserved0
union hv_partition_processor_features 16
  0 ~as_uint64 u64[2]
  0 - u64
    [0] sse3_support
    [1] lahf_sahf_support
    [2] ssse3_support
    [3] sse4_1_support
    [4] sse4_2_support
    [5] sse4a_support
    [6] xop_support
    [7] pop_cnt_support
    [8] cmpxchg16b_support
    [9] altmovcr8_support
    [10] lzcnt_support
    [11] mis_align_sse_support
    [12] mmx_ext_support
    [13] amd3dnow_support
    [14] extended_amd3dnow_support
    [15] page_1gb_support
    [16] aes_support
    [17] pclmulqdq_support
    [18] pcid_support
    [19] fma4_support
    [20] f16c_support
    [21] rd_rand_support
    [22] rd_wr_fs_gs_support
    [23] smep_support
    [24] enhanced_fast_string_support
    [25] bmi1_support
    [26] bmi2_support
    [27] hle_support_deprecated
    [28] rtm_support_deprecated
    [29] movbe_support
    [30] npiep1_support
    [31] dep_x87_fpu_save_support
    [32] rd_seed_support
    [33] adx_support
    [34] intel_prefetch_support
    [35] smap_support
    [36] hle_support
    [37] rtm_support
    [38] rdtscp_support
    [39] clflushopt_support
    [40] clwb_support
    [41] sha_support
    [42] x87_pointers_saved_support
    [43] invpcid_support
    [44] ibrs_support
    [45] stibp_support
    [46] ibpb_support
    [47] unrestricted_guest_support
    [48] mdd_support
    [49] fast_short_rep_mov_support
    [50] l1dcache_flush_support
    [51] rdcl_no_support
    [52] ibrs_all_support
    [53] skip_l1df_support
    [54] ssb_no_support
    [55] rsb_a_no_support
    [56] virt_spec_ctrl_support
    [57] rd_pid_support
    [58] umip_support
    [59] mbs_no_support
    [60] mb_clear_support
    [61] taa_no_support
    [62] tsx_ctrl_support
    [63] reserved_bank0
  8 - u64
    [0] acount_mcount_support
    [1] tsc_invariant_support
    [2] cl_zero_support
    [3] rdpru_support
    [4] la57_support
    [5] mbec_support
    [6] nested_virt_support
    [7] psfd_support
    [8] cet_ss_support
    [9] cet_ibt_support
    [10] vmx_exception_inject_support
    [11] enqcmd_support
    [12] umwait_tpause_support
    [13] movdiri_support
    [14] movdir64b_support
    [15] cldemote_support
    [16] serialize_support
    [17] tsc_deadline_tmr_support
    [18] tsc_adjust_support
    [19] fzlrep_movsb
    [20] fsrep_stosb
    [21] fsrep_cmpsb
    [22..63] reserved_bank1
union hv_partition_processor_xsave_features 8
  0 ~as_uint64 u64
    [0] xsave_support
    [1] xsaveopt_support
    [2] avx_support
    [3..63] reserved1
struct hv_partition_creation_properties 24
  0 disabled_processor_features hv_partition_processor_features
  16 disabled_processor_xsave_features hv_partition_processor_xsave_features
union hv_partition_synthetic_processor_features 8
  0 ~as_uint64 u64[1]
    [0] hypervisor_present
    [1] hv1
    [2] access_vp_run_time_reg
    [3] access_partition_reference_counter
    [4] access_synic_regs
    [5] access_synthetic_timer_regs
    [6] access_intr_ctrl_regs
    [7] access_hypercall_regs
    [8] access_vp_index
    [9] access_partition_reference_tsc
    [10] access_guest_idle_reg
    [11] access_frequency_regs
    [12] reserved_z12
    [13] reserved_z13
    [14] reserved_z14
    [15] enable_extended_gva_ranges_for_flush_virtual_address_list
    [16] reserved_z16
    [17] reserved_z17
    [18] fast_hypercall_output
    [19] reserved_z19
    [20] start_virtual_processor
    [21] reserved_z21
    [22] direct_synthetic_timers
    [23] reserved_z23
    [24] extended_processor_masks
    [25] tb_flush_hypercalls
    [26] synthetic_cluster_ipi
    [27] notify_long_spin_wait
    [28] query_numa_distance
    [29] signal_events
    [30] retarget_device_interrupt
    [31] restore_time
    [32] enlightened_vmcs
    [33..63] reserved
union hv_partition_isolation_properties 8
  0 ~as_uint64 u64
    [0..4] isolation_type
    [5..6] isolation_host_type
    [7..11] rsvd_z
    [12..63] shared_gpa_boundary_page_number
struct hv_input_create_partition 56
  0 flags u64 @partitionCreationFlags
  8 proximity_domain_info hv_proximity_domain_info
  16 compatibility_version u32 hex
  20 padding u32
  24 partition_creation_properties hv_partition_creation_properties
  48 isolation_properties hv_partition_isolation_properties
struct hv_output_create_partition 8
  0 partition_id u64 partition
struct hv_input_initialize_partition 8
  0 partition_id u64 partition
struct hv_input_finalize_partition 8
  0 partition_id u64 partition
struct hv_input_delete_partition 8
  0 partition_id u64 partition
struct hv_input_get_partition_property 16
  0 partition_id u64 partition
  8 property_code u32 @partitionProperties
  12 padding u32
struct hv_output_get_partition_property 8
  0 property_value u64
struct hv_input_set_partition_property 24
  0 partition_id u64 partition
  8 property_code u32 @partitionProperties
  12 padding u32
  16 property_value u64
union hv_partition_property_arg 8
  0 ~as_uint64 u64
  0 arg u32
  0 ~vp_index u32 vp
  4 reserved0 u16
  6 reserved1 u8
  7 object_type u8
struct hv_input_get_partition_property_ex 24
  0 partition_id u64 partition
  8 property_code u32 @partitionProperties
  12 padding u32
  16 arg_data hv_partition_property_arg
  16 ~arg u64
union hv_partition_property_ex 4072
  0 buffer u8[4072] when else
  0 vmm_capabilities hv_partition_property_vmm_capabilities when ^property_code=HV_PARTITION_PROPERTY_VMM_CAPABILITIES
struct hv_output_get_partition_property_ex 4072
  0 property_value hv_partition_property_ex
`,
  ),
];
