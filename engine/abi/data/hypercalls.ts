/**
 * Hypercalls. Columns: code, name without HVCALL_, words, input, output, note.
 * Words: `simple` or `rep`, or `?` (code and name only; the shape was not found in a public source), `var` has a
 * variable header, `fast` may take its input in registers, `linux-fast` Linux issues it so, `pass`
 * MSHV_ROOT_HVCALL lets it through, `pass-device` on the device too (for the own partition).
 * Source: Linux 7.2.13 include/hyperv and drivers/hv, allow-list of drivers/hv/mshv_root_main.c; shapes of TLFS.
 */
export const HYPERCALLS = `
0x0001 SWITCH_VIRTUAL_ADDRESS_SPACE  ?  - -
0x0002 FLUSH_VIRTUAL_ADDRESS_SPACE  simple fast  hv_tlb_flush -
0x0003 FLUSH_VIRTUAL_ADDRESS_LIST  rep  hv_tlb_flush -
0x0004 GET_LOGICAL_PROCESSOR_RUN_TIME  simple  hv_input_get_logical_processor_run_time hv_output_get_logical_processor_run_time
0x0008 NOTIFY_LONG_SPIN_WAIT  simple linux-fast  - -
0x000a INVOKE_HYPERVISOR_DEBUGGER  ?  - -
0x000b SEND_IPI  simple linux-fast  hv_send_ipi -
0x000c MODIFY_VTL_PROTECTION_MASK  rep  hv_input_modify_vtl_protection_mask -
0x000d ENABLE_PARTITION_VTL  ?  - -
0x000f ENABLE_VP_VTL  simple  hv_enable_vp_vtl -
0x0011 VTL_CALL  ?  - -
0x0012 VTL_RETURN  ?  - -
0x0013 FLUSH_VIRTUAL_ADDRESS_SPACE_EX  simple var  hv_tlb_flush_ex -
0x0014 FLUSH_VIRTUAL_ADDRESS_LIST_EX  rep var  hv_tlb_flush_ex -
0x0015 SEND_IPI_EX  simple var  hv_send_ipi_ex -
0x0040 CREATE_PARTITION  simple  hv_input_create_partition hv_output_create_partition  # flags always include EXO_PARTITION and INTERCEPT_MESSAGE_PAGE_ENABLED from mshv_root; compatibility_version 21_H2
0x0041 INITIALIZE_PARTITION  simple linux-fast  hv_input_initialize_partition -  # driver issues it fast
0x0042 FINALIZE_PARTITION  simple linux-fast  hv_input_finalize_partition -  # driver issues it fast
0x0043 DELETE_PARTITION  simple linux-fast  hv_input_delete_partition -  # driver issues it fast
0x0044 GET_PARTITION_PROPERTY  simple pass-device  hv_input_get_partition_property hv_output_get_partition_property  # passthrough allowed (also on device fd for SELF)
0x0045 SET_PARTITION_PROPERTY  simple pass  hv_input_set_partition_property -  # passthrough allowed on partition fd only; the only call treated as asynchronous (CALL_PENDING)
0x0046 GET_PARTITION_ID  simple  - hv_output_get_partition_id
0x0047 GET_NEXT_CHILD_PARTITION  simple  hv_input_get_next_child_partition hv_output_get_partition_id  # TLFS
0x0048 DEPOSIT_MEMORY  rep  hv_deposit_memory -  # header 8 bytes then u64 page numbers; max 511 per call
0x0049 WITHDRAW_MEMORY  rep  hv_input_withdraw_memory hv_output_withdraw_memory  # output list of u64 page numbers; max 512 per call; NO_RESOURCES ends the loop as success
0x004a GET_MEMORY_BALANCE  simple  hv_input_get_memory_balance hv_output_get_memory_balance  # TLFS
0x004b MAP_GPA_PAGES  rep  hv_input_map_gpa_pages -  # header 24 bytes then u64 spa/gpa page list; max 509 per call
0x004c UNMAP_GPA_PAGES  rep  hv_input_unmap_gpa_pages -  # rep call without list; driver batches 512
0x004d INSTALL_INTERCEPT  simple pass  hv_input_install_intercept -  # passthrough allowed
0x004e CREATE_VP  simple  hv_create_vp -  # driver deposits 90 pages first
0x004f DELETE_VP  simple linux-fast  hv_input_delete_vp -  # fast16
0x0050 GET_VP_REGISTERS  rep fast pass  hv_input_get_vp_registers hv_output_get_vp_registers  # names u32 at offset 16; values 16 bytes; driver batch 256
0x0051 SET_VP_REGISTERS  rep fast pass  hv_input_set_vp_registers -  # 32-byte hv_register_assoc elements at offset 16; driver batch 127
0x0052 TRANSLATE_VIRTUAL_ADDRESS  simple pass  hv_input_translate_virtual_address hv_output_translate_virtual_address  # passthrough allowed
0x0053 READ_GPA  simple  hv_input_read_gpa hv_output_read_gpa
0x0054 WRITE_GPA  simple  hv_input_write_gpa hv_output_write_gpa
0x0056 CLEAR_VIRTUAL_INTERRUPT  simple linux-fast pass  hv_input_clear_virtual_interrupt -  # input is the 8-byte partition id; driver issues it fast
0x0058 DELETE_PORT  simple linux-fast  hv_input_delete_port -  # fast16
0x005b DISCONNECT_PORT  simple linux-fast  hv_input_disconnect_port -  # fast16; driver sets is_doorbell=1
0x005c POST_MESSAGE  simple  hv_input_post_message -  # connection id u32, reserved u32, type u32, size u32, payload 240
0x005d SIGNAL_EVENT  simple linux-fast  hv_input_signal_event -  # connection id u32, flag u16, rsvd u16
0x0069 POST_DEBUG_DATA  ?  - -
0x006a RETRIEVE_DEBUG_DATA  ?  - -
0x006b RESET_DEBUG_SESSION  ?  - -
0x006c MAP_STATS_PAGE  simple  hv_input_map_stats_page hv_output_map_stats_page  # INVALID_PARAMETER for PARENT area means unsupported
0x006d UNMAP_STATS_PAGE  simple  hv_input_unmap_stats_page -
0x006f SET_SYSTEM_PROPERTY  simple  hv_input_set_system_property -
0x0071 OUTPUT_DEBUG_CHARACTER  ?  - -
0x0076 ADD_LOGICAL_PROCESSOR  simple  hv_input_add_logical_processor hv_output_add_logical_processor
0x007b GET_SYSTEM_PROPERTY  simple  hv_input_get_system_property hv_output_get_system_property  # scheduler type query at module init (root)
0x007c MAP_DEVICE_INTERRUPT  simple var  hv_input_map_device_interrupt hv_output_map_device_interrupt
0x007d UNMAP_DEVICE_INTERRUPT  simple  hv_input_unmap_device_interrupt -
0x007e RETARGET_INTERRUPT  simple var  hv_retarget_device_interrupt -
0x0084 ENTER_SLEEP_STATE  simple  hv_input_enter_sleep_state -
0x0087 NOTIFY_PARTITION_EVENT  simple  hv_input_notify_partition_event -
0x008b NOTIFY_PORT_RING_EMPTY  simple linux-fast  hv_input_notify_port_ring_empty -  # fast8; issued from the doorbell ISR
0x0091 REGISTER_INTERCEPT_RESULT  simple pass  hv_input_register_intercept_result -  # passthrough allowed
0x0094 ASSERT_VIRTUAL_INTERRUPT  simple pass  hv_input_assert_virtual_interrupt -  # passthrough allowed; also irqfd slow path
0x0095 CREATE_PORT  simple  hv_input_create_port -
0x0096 CONNECT_PORT  simple  hv_input_connect_port -
0x0099 START_VP  simple  hv_enable_vp_vtl -
0x009a GET_VP_INDEX_FROM_APIC_ID  rep  hv_get_vp_from_apic_id_in hv_output_get_vp_from_apic_id
0x00ac TRANSLATE_VIRTUAL_ADDRESS_EX  ?  - -
0x00ad CHECK_FOR_IO_INTERCEPT  ?  - -
0x00af FLUSH_GUEST_PHYSICAL_ADDRESS_SPACE  simple linux-fast  hv_guest_mapping_flush -
0x00b0 FLUSH_GUEST_PHYSICAL_ADDRESS_LIST  rep  hv_guest_mapping_flush_list -
0x00c0 SIGNAL_EVENT_DIRECT  simple fast pass  hv_input_signal_event_direct hv_output_signal_event_direct  # passthrough allowed
0x00c1 POST_MESSAGE_DIRECT  simple pass  hv_input_post_message_direct -  # passthrough allowed
0x00c2 DISPATCH_VP  simple  hv_input_dispatch_vp hv_output_dispatch_vp  # root scheduler only; uses its own per-cpu pages
0x00c9 GET_GPA_PAGES_ACCESS_STATES  rep pass  hv_input_get_gpa_pages_access_state hv_output_get_gpa_pages_access_states  # 1-byte output per page; driver batch 4095; passthrough allowed
0x00d4 CHECK_SPARSE_GPA_PAGE_VTL_ACCESS  ?  - -
0x00d7 ACQUIRE_SPARSE_SPA_PAGE_HOST_ACCESS  rep  hv_input_modify_sparse_spa_page_host_access -  # driver batch 510
0x00d8 RELEASE_SPARSE_SPA_PAGE_HOST_ACCESS  rep  hv_input_modify_sparse_spa_page_host_access -  # driver batch 510
0x00d9 ACCEPT_GPA_PAGES  rep  hv_input_accept_gpa_pages -  # the elements follow the base; no list
0x00db MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY  rep  hv_gpa_range_for_visibility -
0x00e1 MAP_VP_STATE_PAGE  simple  hv_input_map_vp_state_page hv_output_map_vp_state_page
0x00e2 UNMAP_VP_STATE_PAGE  simple  hv_input_unmap_vp_state_page -
0x00e3 GET_VP_STATE  simple var  hv_input_get_vp_state hv_output_get_vp_state  # page list counted as variable header qwords
0x00e4 SET_VP_STATE  simple var  hv_input_set_vp_state -  # data counted as variable header qwords
0x00ef IMPORT_ISOLATED_PAGES  rep  hv_input_import_isolated_pages -
0x00f1 COMPLETE_ISOLATED_IMPORT  simple  hv_input_complete_isolated_import -
0x00f2 ISSUE_SNP_PSP_GUEST_REQUEST  simple  hv_input_issue_psp_guest_request -
0x00f4 GET_VP_CPUID_VALUES  rep pass  hv_input_get_vp_cpuid_values hv_output_get_vp_cpuid_values_list  # passthrough allowed; rep per leaf (hv_cpuid_leaf_info)
0x0101 GET_PARTITION_PROPERTY_EX  simple pass-device  hv_input_get_partition_property_ex hv_output_get_partition_property_ex  # passthrough allowed (also device fd for SELF)
0x0103 RESTORE_PARTITION_TIME  ?  - -
0x0106 MMIO_READ  simple  hv_mmio_read_input hv_mmio_read_output
0x0107 MMIO_WRITE  simple  hv_mmio_write_input -
0x010f DISABLE_HYP_EX  simple  hv_input_disable_hyp_ex -  # root crash path
0x0112 PIN_GPA_PAGE_RANGES  ?  - -
0x0113 UNPIN_GPA_PAGE_RANGES  ?  - -
0x011c QUERY_SPARSE_GPA_PAGE_HOST_VISIBILITY  ?  - -
0x0131 MAP_STATS_PAGE2  simple  hv_input_map_stats_page2 -  # caller-provided page
0x8001 HV_EXT_CALL_QUERY_CAPABILITIES  ?  - -
0x8002 HV_EXT_CALL_GET_BOOT_ZEROED_MEMORY  ?  - -
0x8003 HV_EXT_CALL_MEMORY_HEAT_HINT  ?  - -
0xc001 VBS_VM_CALL_REPORT  ?  - -
`;
