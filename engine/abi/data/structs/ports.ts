import { structTable } from '../../layout/table.ts';

/** Ports, connections, messages and events sent over them. Format: ./README.md. */
export const PORTS_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
struct hv_port_info 24
  0 port_type u32 @portTypes
  4 padding u32
  8 message_port_info struct(16) when port_type=HV_PORT_TYPE_MESSAGE
    8 target_sint u32
    12 target_vp u32 vp
    16 rsvdz u64
  8 event_port_info struct(16) when port_type=HV_PORT_TYPE_EVENT
    8 target_sint u32
    12 target_vp u32 vp
    16 base_flag_number u16
    18 flag_count u16
    20 rsvdz u32
  8 monitor_port_info struct(16) when port_type=HV_PORT_TYPE_MONITOR
    8 monitor_address u64 gpa
    16 rsvdz u64
  8 doorbell_port_info struct(16) when port_type=HV_PORT_TYPE_DOORBELL
    8 target_sint u32
    12 target_vp u32 vp
    16 rsvdz u64
struct hv_connection_info 32
  0 port_type u32 @portTypes
  4 padding u32
  8 doorbell_connection_info struct(24) when port_type=HV_PORT_TYPE_DOORBELL
    8 gpa u64 gpa
    16 trigger_value u64
    24 flags u64 @doorbellFlags
  8 message_connection_info struct(8) when port_type=HV_PORT_TYPE_MESSAGE
    8 rsvdz u64
  8 event_connection_info struct(8) when port_type=HV_PORT_TYPE_EVENT
    8 rsvdz u64
  8 monitor_connection_info struct(8) when port_type=HV_PORT_TYPE_MONITOR
    8 monitor_address u64 gpa
struct hv_input_create_port 56
  0 port_partition_id u64 partition
  8 port_id hv_port_id
  12 port_vtl u8
  13 min_connection_vtl u8
  14 padding u16
  16 connection_partition_id u64 partition
  24 port_info hv_port_info
  48 proximity_domain_info hv_proximity_domain_info
union hv_input_delete_port 16
  0 ~as_uint64 u64[2]
  0 port_partition_id u64 partition
  8 port_id hv_port_id
  12 reserved u32
struct hv_input_connect_port 72
  0 connection_partition_id u64 partition
  8 connection_id hv_connection_id
  12 connection_vtl u8
  13 rsvdz0 u8
  14 rsvdz1 u16
  16 port_partition_id u64 partition
  24 port_id hv_port_id
  28 reserved2 u32
  32 connection_info hv_connection_info
  64 proximity_domain_info hv_proximity_domain_info
union hv_input_disconnect_port 16
  0 ~as_uint64 u64[2]
  0 connection_partition_id u64 partition
  8 connection_id hv_connection_id
  12 - u32
    [0] is_doorbell
    [1..31] reserved
union hv_input_notify_port_ring_empty 8
  0 ~as_uint64 u64
  0 sint_index u32
  4 reserved u32
`,
  ),
  structTable(
    'rust-vmm/mshv 1032a5d, hv-headers',
    `
struct hv_input_signal_event_direct 16
  0 target_partition u64 partition
  8 target_vp u32 vp
  12 target_vtl u8
  13 target_sint u8
  14 flag_number u16
struct hv_output_signal_event_direct 8
  0 newly_signaled u8
  1 reserved u8[7]
struct hv_input_post_message_direct 280
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 vtl u8
  13 padding u8[3]
  16 sint_index u32
  20 message u8[256] message
  276 padding2 u32
`,
  ),
  structTable(
    'TLFS HvCallPostMessage; Linux 7.2.13 vmbus header',
    `
struct hv_input_post_message 256 posted
  0 connectionid u32
  4 reserved u32
  8 message_type u32 @messageTypes
  12 payload_size u32
  16 payload u64[30] bytes
`,
  ),
  structTable(
    'TLFS HvCallSignalEvent',
    `
struct hv_input_signal_event 8
  0 connectionid u32
  4 flag_number u16
  6 rsvdz u16
`,
  ),
];
