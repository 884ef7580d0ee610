import { structTable } from '../../layout/table.ts';

/** Virtual processors and their state. Format: ./README.md. */
export const VP_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
union hv_input_vtl 1
  0 ~as_uint8 u8
    [0..3] target_vtl
    [4] use_target_vtl
    [5..7] reserved_z
struct hv_init_vp_context 224
  0 rip u64 gva
  8 rsp u64 gva
  16 rflags u64
  24 cs hv_x64_segment_register
  40 ds hv_x64_segment_register
  56 es hv_x64_segment_register
  72 fs hv_x64_segment_register
  88 gs hv_x64_segment_register
  104 ss hv_x64_segment_register
  120 tr hv_x64_segment_register
  136 ldtr hv_x64_segment_register
  152 idtr hv_x64_table_register
  168 gdtr hv_x64_table_register
  184 efer u64
  192 cr0 u64
  200 cr3 u64
  208 cr4 u64
  216 msr_cr_pat u64
struct hv_enable_vp_vtl 240
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 target_vtl hv_input_vtl
  13 mbz0 u8
  14 mbz1 u16
  16 vp_context hv_init_vp_context
struct hv_get_vp_from_apic_id_in 16
  0 partition_id u64 partition
  8 target_vtl hv_input_vtl
  9 res u8[7]
  16 apic_ids u32[]
struct hv_vp_assist_page 624
  0 apic_assist u32
  4 reserved1 u32
  8 vtl_entry_reason u32
  12 vtl_reserved u32
  16 vtl_ret_x64rax u64
  24 vtl_ret_x64rcx u64
  32 nested_control hv_nested_enlightenments_control
  40 enlighten_vmentry u8
  41 reserved2 u8[7]
  48 current_nested_vmcs u64
  56 synthetic_time_unhalted_timer_expired u8
  57 reserved3 u8[7]
  64 virtualization_fault_information u8[40]
  104 reserved4 u8[8]
  112 intercept_message u8[256]
  368 vtl_ret_actions u8[256]
struct hv_output_get_vp_registers 0
  0 values hv_register_value[]
struct hv_input_get_vp_registers 16
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 input_vtl hv_input_vtl
  13 rsvd_z8 u8
  14 rsvd_z16 u16
  16 names u32[] @registers
struct hv_input_set_vp_registers 16
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 input_vtl hv_input_vtl
  13 rsvd_z8 u8
  14 rsvd_z16 u16
  16 elements hv_register_assoc[]
struct hv_create_vp 40
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 padding u8[3]
  15 subnode_type u8
  16 subnode_id u64
  24 proximity_domain_info hv_proximity_domain_info
  32 flags u64
union hv_vp_register_page_interrupt_vectors 8
  0 ~as_uint64 u64
  0 vector_count u8
  1 vector u8[7]
struct hv_vp_register_page 696
  0 version u16
  2 isvalid u8
  3 rsvdz u8
  4 dirty u32 hex
  8 rax u64
  8 ~gp_registers u64[16]
  8 ~registers u64[18]
  16 rcx u64
  24 rdx u64
  32 rbx u64
  40 rsp u64
  48 rbp u64
  56 rsi u64
  64 rdi u64
  72 r8 u64
  80 r9 u64
  88 r10 u64
  96 r11 u64
  104 r12 u64
  112 r13 u64
  120 r14 u64
  128 r15 u64
  136 rip u64 gva
  144 rflags u64
  152 reserved u8[8]
  160 xmm0 hv_u128
  160 ~xmm_registers hv_u128[6]
  176 xmm1 hv_u128
  192 xmm2 hv_u128
  208 xmm3 hv_u128
  224 xmm4 hv_u128
  240 xmm5 hv_u128
  256 es hv_x64_segment_register
  256 ~segment_registers hv_x64_segment_register[6]
  272 cs hv_x64_segment_register
  288 ss hv_x64_segment_register
  304 ds hv_x64_segment_register
  320 fs hv_x64_segment_register
  336 gs hv_x64_segment_register
  352 cr0 u64
  360 cr3 u64
  368 cr4 u64
  376 cr8 u64
  384 efer u64
  392 dr7 u64
  400 pending_interruption hv_x64_pending_interruption_register
  408 interrupt_state hv_x64_interrupt_state_register
  416 instruction_emulation_hints u64
  424 xfem u64
  432 reserved1 u8[256]
  688 interrupt_vectors hv_vp_register_page_interrupt_vectors
struct hv_input_map_vp_state_page 24
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 type u16 @vpStatePageTypes
  14 input_vtl hv_input_vtl
  15 flags union(1)
    15 ~as_uint8 u8
      [0] map_location_provided
      [1..7] reserved
  16 requested_map_location u64 pfn
struct hv_output_map_vp_state_page 8
  0 map_location u64 pfn
struct hv_input_unmap_vp_state_page 16
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 type u16 @vpStatePageTypes
  14 input_vtl hv_input_vtl
  15 reserved0 u8
union hv_input_delete_vp 16
  0 ~as_uint64 u64[2]
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 reserved u8[4]
struct hv_vp_state_data_xsave 16
  0 flags u64
  8 states hv_x64_xsave_xfem_register
struct hv_vp_state_data 24
  0 type u32 @vpStateTypes
  4 rsvd u32
  8 xsave hv_vp_state_data_xsave
struct hv_input_get_vp_state 40
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 input_vtl u8
  13 rsvd0 u8
  14 rsvd1 u16
  16 state_data hv_vp_state_data
  40 output_data_pfns u64[] pfn
union hv_output_get_vp_state 200
  0 synthetic_timers_state hv_synthetic_timers_state
union hv_input_set_vp_state_data 8 integer
  0 pfns u64 pfn
  0 ~bytes u8
struct hv_input_set_vp_state 40
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 input_vtl u8
  13 rsvd0 u8
  14 rsvd1 u16
  16 state_data hv_vp_state_data
  40 data hv_input_set_vp_state_data[]
struct hv_input_dispatch_vp 32
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 flags u32 @dispatchFlags
  16 time_slice u64 time
  24 spec_ctrl u64
struct hv_output_dispatch_vp 8
  0 dispatch_state u32 @dispatchStates
  4 dispatch_event u32 @dispatchEvents
`,
  ),
  structTable(
    'rust-vmm/mshv 1032a5d, hv-headers',
    `
struct hv_cpuid_leaf_info 24
  0 eax u32 hex
  4 ecx u32 hex
  8 xfem u64
  16 xss u64
union hv_get_vp_cpuid_values_flags 4
  0 ~as_uint32 u32
    [0] use_vp_xfem_xss
    [1] apply_registered_values
    [2..31] reserved
struct hv_input_get_vp_cpuid_values 24
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 flags hv_get_vp_cpuid_values_flags
  16 reserved u32
  20 padding u32
  24 cpuid_leaf_info hv_cpuid_leaf_info[]
union hv_output_get_vp_cpuid_values 16
  0 ~as_uint32 u32[4]
  0 eax u32 hex
  4 ebx u32 hex
  8 ecx u32 hex
  12 edx u32 hex
union hv_translate_gva_result 8
  0 ~as_uint64 u64
  0 result_code u32 @translateGvaResultCodes
  4 - u32
    [0..7] cache_type
    [8] overlay_page
    [9..31] reserved
struct hv_local_interrupt_controller_state 176
  0 apic_id u32
  4 apic_version u32
  8 apic_ldr u32 hex
  12 apic_dfr u32 hex
  16 apic_spurious u32 hex
  20 apic_isr u32[8] hex
  52 apic_tmr u32[8] hex
  84 apic_irr u32[8] hex
  116 apic_esr u32 hex
  120 apic_icr_high u32 hex
  124 apic_icr_low u32 hex
  128 apic_lvt_timer u32 hex
  132 apic_lvt_thermal u32 hex
  136 apic_lvt_perfmon u32 hex
  140 apic_lvt_lint0 u32 hex
  144 apic_lvt_lint1 u32 hex
  148 apic_lvt_error u32 hex
  152 apic_lvt_cmci u32 hex
  156 apic_error_status u32
  160 apic_initial_count u32
  164 apic_counter_value u32
  168 apic_divide_configuration u32
  172 apic_remote_read u32
struct hv_input_translate_virtual_address 32
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 padding u32
  16 control_flags u64 @translateGvaFlags
  24 gva_page u64 pfn
struct hv_output_translate_virtual_address 16
  0 translation_result hv_translate_gva_result
  8 gpa_page u64 pfn
`,
  ),
];
