import { structTable } from '../../layout/table.ts';

/** Intercepts: installing them, their messages, their results. Format: ./README.md. */
export const INTERCEPTS_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
union hv_intercept_parameters 8
  0 as_uint64 u64 when else
  0 io_port u16 hex when ^intercept_type=HV_INTERCEPT_TYPE_X64_IO_PORT
  0 cpuid_index u32 when ^intercept_type=HV_INTERCEPT_TYPE_X64_CPUID
  0 apic_write_mask u32 when ^intercept_type=HV_INTERCEPT_TYPE_X64_APIC_WRITE
  0 exception_vector u16 hex when ^intercept_type=HV_INTERCEPT_TYPE_EXCEPTION
  0 msr_index u32 msr when ^intercept_type=HV_INTERCEPT_TYPE_X64_MSR_INDEX
struct hv_x64_apic_eoi_message 8
  0 vp_index u32 vp
  4 interrupt_vector u32 hex
struct hv_opaque_intercept_message 4
  0 vp_index u32 vp
union hv_x64_vp_execution_state 2
  0 ~as_uint16 u16
    [0..1] cpl
    [2] cr0_pe
    [3] cr0_am
    [4] efer_lma
    [5] debug_active
    [6] interruption_pending
    [7..10] vtl
    [11] enclave_mode
    [12] interrupt_shadow
    [13] virtualization_fault_active
    [14..15] reserved
struct hv_x64_intercept_message_header 40
  0 vp_index u32 vp
  4 - u8
    [0..3] instruction_length
    [4..7] cr8
  5 intercept_access_type u8 @interceptAccessTypes
  6 execution_state hv_x64_vp_execution_state
  8 cs_segment hv_x64_segment_register
  24 rip u64 gva
  32 rflags u64
union hv_x64_memory_access_info 1
  0 ~as_uint8 u8
    [0] gva_valid
    [1] gva_gpa_valid
    [2] hypercall_output_pending
    [3] tlb_locked_no_overlay
    [4..7] reserved
struct hv_x64_memory_intercept_message 80
  0 header hv_x64_intercept_message_header
  40 cache_type u32
  44 instruction_byte_count u8
  45 memory_access_info hv_x64_memory_access_info
  46 tpr_priority u8
  47 reserved1 u8
  48 guest_virtual_address u64 gva
  56 guest_physical_address u64 gpa
  64 instruction_bytes u8[16]
`,
  ),
  structTable(
    'rust-vmm/mshv 1032a5d, hv-headers',
    `
struct hv_input_install_intercept 24
  0 partition_id u64 partition
  8 access_type u32 @interceptAccessMasks
  12 intercept_type u32 @interceptTypes
  16 intercept_parameter hv_intercept_parameters
struct hv_x64_hypercall_intercept_message 196
  0 header hv_x64_intercept_message_header
  40 rax u64
  48 rbx u64
  56 rcx u64
  64 rdx u64
  72 r8 u64
  80 rsi u64
  88 rdi u64
  96 xmmregisters hv_u128[6]
  192 - u32
    [0] isolated
    [1..31] reserved
union hv_x64_register_access_info 16
  0 source_value hv_register_value
  0 ~destination_register u32 @registers
  0 ~source_address u64
  0 ~destination_address u64
struct hv_x64_register_intercept_message 64
  0 header hv_x64_intercept_message_header
  40 - u8
    [0] is_memory_op
    [1..7] reserved
  41 reserved8 u8
  42 reserved16 u16
  44 register_name u32 @registers
  48 access_info hv_x64_register_access_info
union hv_x64_io_port_access_info 1
  0 ~as_uint8 u8
    [0..2] access_size
    [3] string_op
    [4] rep_prefix
    [5..7] reserved
union hv_x64_exception_info 1
  0 ~as_uint8 u8
    [0] error_code_valid
    [1] software_exception
    [2..7] reserved
struct hv_x64_cpuid_intercept_message 104
  0 header hv_x64_intercept_message_header
  40 rax u64
  48 rcx u64
  56 rdx u64
  64 rbx u64
  72 default_result_rax u64
  80 default_result_rcx u64
  88 default_result_rdx u64
  96 default_result_rbx u64
struct hv_x64_msr_intercept_message 64
  0 header hv_x64_intercept_message_header
  40 msr_number u32 msr
  44 reserved u32
  48 rdx u64
  56 rax u64
struct hv_x64_io_port_intercept_message 128
  0 header hv_x64_intercept_message_header
  40 port_number u16 hex
  42 access_info hv_x64_io_port_access_info
  43 instruction_byte_count u8
  44 reserved u32
  48 rax u64
  56 instruction_bytes u8[16]
  72 ds_segment hv_x64_segment_register
  88 es_segment hv_x64_segment_register
  104 rcx u64
  112 rsi u64
  120 rdi u64
struct hv_x64_exception_intercept_message 240
  0 header hv_x64_intercept_message_header
  40 exception_vector u16 hex
  42 exception_info hv_x64_exception_info
  43 instruction_byte_count u8
  44 error_code u32
  48 exception_parameter u64
  56 reserved u64
  64 instruction_bytes u8[16]
  80 ds_segment hv_x64_segment_register
  96 ss_segment hv_x64_segment_register
  112 rax u64
  120 rcx u64
  128 rdx u64
  136 rbx u64
  144 rsp u64
  152 rbp u64
  160 rsi u64
  168 rdi u64
  176 r8 u64
  184 r9 u64
  192 r10 u64
  200 r11 u64
  208 r12 u64
  216 r13 u64
  224 r14 u64
  232 r15 u64
struct hv_x64_invalid_vp_register_message 8
  0 vp_index u32 vp
  4 reserved u32
struct hv_x64_unrecoverable_exception_message 40
  0 header hv_x64_intercept_message_header
struct hv_x64_unsupported_feature_message 16
  0 vp_index u32 vp
  4 feature_code u32
  8 feature_parameter u64
struct hv_x64_halt_message 40
  0 header hv_x64_intercept_message_header
struct hv_x64_interruption_deliverable_message 48
  0 header hv_x64_intercept_message_header
  40 deliverable_type u32
  44 rsvd u32
struct hv_x64_sint_deliverable_message 48
  0 header hv_x64_intercept_message_header
  40 deliverable_sints u16
  42 rsvd1 u16
  44 rsvd2 u32
struct hv_x64_sipi_intercept_message 48
  0 header hv_x64_intercept_message_header
  40 target_vp_index u32 vp
  44 interrupt_vector u32 hex
struct hv_x64_gpa_attribute_intercept_message 240
  0 vp_index u32 vp
  4 - u32
    [0..4] range_count
    [5] adjust
    [6..7] host_visibility
    [8..13] memory_type
    [14..31] reserved
  8 ranges hv_gpa_page_range[29]
struct hv_register_x64_cpuid_result_parameters 44
  0 input struct(12)
    0 eax u32 hex
    4 ecx u32 hex
    8 subleaf_specific u8
    9 always_override u8
    10 padding u16
  12 result struct(32)
    12 eax u32 hex
    16 eax_mask u32 hex
    20 ebx u32 hex
    24 ebx_mask u32 hex
    28 ecx u32 hex
    32 ecx_mask u32 hex
    36 edx u32 hex
    40 edx_mask u32 hex
struct hv_register_x64_msr_result_parameters 12
  0 msr_index u32 msr
  4 access_type u32 @interceptAccessTypes
  8 action u32 @unimplementedMsrActions
union hv_register_intercept_result_parameters 44
  0 cpuid hv_register_x64_cpuid_result_parameters when else
  0 msr hv_register_x64_msr_result_parameters when ^intercept_type=HV_INTERCEPT_TYPE_X64_MSR
struct hv_x64_vmgexit_intercept_message 104
  0 header hv_x64_intercept_message_header
  40 ghcb_msr u64
  48 - u64
    [0] ghcb_page_valid
    [1..63] reserved
  56 ghcb_usage u32
  60 rserved_ghcb_page u32
  64 ghcb_protocol_version u16
  66 reserved_st u16[3]
  72 sw_exit_code u64
  80 sw_exit_info1 u64
  88 sw_exit_info2 u64
  96 sw_scratch u64
struct hv_input_register_intercept_result 60
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 intercept_type u32 @interceptTypes
  16 parameters hv_register_intercept_result_parameters
`,
  ),
];
