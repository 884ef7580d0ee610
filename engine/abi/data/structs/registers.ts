import { structTable } from '../../layout/table.ts';

/** Values of VP registers. Format: ./README.md. */
export const REGISTERS_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
struct hv_u128 16 integer
  0 low_part u64
  8 high_part u64
union hv_x64_xsave_xfem_register 8
  0 ~as_uint64 u64
    [0] legacy_x87
    [1] legacy_sse
    [2] avx
    [3] mpx_bndreg
    [4] mpx_bndcsr
    [5] avx_512_op_mask
    [6] avx_512_zmmhi
    [7] avx_512_zmm16_31
    [8..9] rsvd8_9
    [10] pasid
    [11] cet_u
    [12] cet_s
    [13..16] rsvd13_16
    [17] xtile_cfg
    [18] xtile_data
    [19..63] rsvd19_63
  0 ~low_uint32 u32
  4 ~high_uint32 u32
struct hv_x64_segment_register 16
  0 base u64
  8 limit u32 hex
  12 selector u16 hex
  14 ~attributes u16 hex
  14 - u16
    [0..3] segment_type
    [4] non_system_segment
    [5..6] descriptor_privilege_level
    [7] present
    [8..11] reserved
    [12] available
    [13] _long
    [14] _default
    [15] granularity
struct hv_x64_table_register 16
  0 pad u16[3]
  6 limit u16 hex
  8 base u64
union hv_register_vsm_partition_config 8
  0 ~as_uint64 u64
    [0] enable_vtl_protection
    [1..4] default_vtl_protection_mask
    [5] zero_memory_on_reset
    [6] deny_lower_vtl_startup
    [7] intercept_acceptance
    [8] intercept_enable_vtl_protection
    [9] intercept_vp_startup
    [10] intercept_cpuid_unimplemented
    [11] intercept_unrecoverable_exception
    [12] intercept_page
    [13..63] mbz
union hv_register_vsm_capabilities 8
  0 ~as_uint64 u64
    [0] dr6_shared
    [1..16] mbec_vtl_mask
    [17] deny_lower_vtl_startup
    [18] supervisor_shadow_stack
    [19] hardware_hvpt_available
    [20] software_hvpt_available
    [21..26] hardware_hvpt_range_bits
    [27] intercept_page_available
    [28] return_action_available
    [29..63] reserved
union hv_register_vsm_page_offsets 8
  0 ~as_uint64 u64
    [0..11] vtl_call_offset
    [12..23] vtl_return_offset
    [24..63] reserved_mbz
union hv_explicit_suspend_register 8
  0 ~as_uint64 u64
    [0] suspended
    [1..63] reserved
union hv_intercept_suspend_register 8
  0 ~as_uint64 u64
    [0] suspended
    [1..63] reserved
union hv_dispatch_suspend_register 8
  0 ~as_uint64 u64
    [0] suspended
    [1..63] reserved
union hv_arm64_pending_interruption_register 8
  0 ~as_uint64 u64
    [0] interruption_pending
    [1] interruption_type
    [2..31] reserved
    [32..63] error_code
union hv_arm64_interrupt_state_register 8
  0 ~as_uint64 u64
    [0] interrupt_shadow
    [1..63] reserved
union hv_arm64_pending_synthetic_exception_event 16
  0 ~as_uint64 u64[2]
  0 - u8
    [0] event_pending
    [1..3] event_type
    [4..7] reserved
  1 rsvd u8[3]
  4 exception_type u32
  8 context u64
union hv_x64_interrupt_state_register 8
  0 ~as_uint64 u64
    [0] interrupt_shadow
    [1] nmi_masked
    [2..63] reserved
union hv_x64_pending_interruption_register 8
  0 ~as_uint64 u64
  0 - u32
    [0] interruption_pending
    [1..3] interruption_type
    [4] deliver_error_code
    [5..8] instruction_length
    [9] nested_event
    [10..15] reserved
    [16..31] interruption_vector hex
  4 error_code u32
union hv_register_value 16 integer
  0 reg128 hv_u128
  0 ~reg64 u64
  0 ~reg32 u32
  0 ~reg16 u16
  0 ~reg8 u8
  0 ~segment hv_x64_segment_register
  0 ~table hv_x64_table_register
  0 ~explicit_suspend hv_explicit_suspend_register
  0 ~intercept_suspend hv_intercept_suspend_register
  0 ~dispatch_suspend hv_dispatch_suspend_register
  0 ~interrupt_state hv_x64_interrupt_state_register
  0 ~pending_interruption hv_x64_pending_interruption_register
  0 ~pending_synthetic_exception_event hv_arm64_pending_synthetic_exception_event
struct hv_register_assoc 32
  0 name u32 @registers
  4 reserved1 u32
  8 reserved2 u64
  16 value hv_register_value
`,
  ),
  structTable(
    'rust-vmm/mshv 1032a5d, hv-headers',
    `
union hv_x64_fp_control_status_register 16
  0 ~as_uint128 hv_u128
  0 fp_control u16
  2 fp_status u16
  4 fp_tag u8
  5 reserved u8
  6 last_fp_op u16
  8 last_fp_rip u64 gva
  8 ~last_fp_eip u32
  12 ~last_fp_cs u16
  14 ~padding u16
union hv_x64_xmm_control_status_register 16
  0 ~as_uint128 hv_u128
  0 last_fp_rdp u64 gva
  0 ~last_fp_dp u32
  4 ~last_fp_ds u16
  6 ~padding u16
  8 xmm_status_control u32 hex
  12 xmm_status_control_mask u32 hex
union hv_x64_fp_register 16
  0 ~as_uint128 hv_u128
  0 mantissa u64
  8 - u64
    [0..14] biased_exponent
    [15] sign
    [16..63] reserved
union hv_x64_msr_npiep_config_contents 8
  0 ~as_uint64 u64
    [0] prevents_gdt
    [1] prevents_idt
    [2] prevents_ldt
    [3] prevents_tr
    [4..63] reserved
union hv_internal_activity_register 8
  0 ~as_uint64 u64
    [0] startup_suspend
    [1] halt_suspend
    [2] idle_suspend
    [3..63] rsvd_z
union hv_x64_pending_exception_event 16
  0 ~as_uint64 u64[2]
  0 - u32
    [0] event_pending
    [1..3] event_type
    [4..7] reserved0
    [8] deliver_error_code
    [9..15] reserved1
    [16..31] vector hex
  4 error_code u32
  8 exception_parameter u64
union hv_x64_pending_virtualization_fault_event 16
  0 ~as_uint64 u64[2]
  0 - u32
    [0] event_pending
    [1..3] event_type
    [4..7] reserved0
    [8..15] reserved1
    [16..31] parameter0
  4 code u32
  8 parameter1 u64
union hv_x64_register_sev_control 8
  0 ~as_uint64 u64
    [0] enable_encrypted_state
    [1..11] reserved_z
    [12..63] vmsa_gpa_page_number pfn
union hv_x64_register_sev_ghcb 8
  0 ~as_uint64 u64
    [0] enabled
    [1..11] reservedz
    [12..63] page_number pfn
union hv_x64_register_sev_hv_doorbell 8
  0 ~as_uint64 u64
    [0] enabled
    [1..11] reservedz
    [12..63] page_number pfn
union hv_sev_vmgexit_offload 8
  0 ~as_uint64 u64
    [0] nae_rdtsc
    [1] nae_cpuid
    [2] nae_reserved_io_port
    [3] nae_rdmsr
    [4] nae_wrmsr
    [5] nae_vmmcall
    [6] nae_wbinvd
    [7] nae_snp_page_state_change
    [8..31] reserved0
    [32] msr_cpuid
    [33] msr_snp_page_state_change
    [34..63] reserved1
`,
  ),
];
