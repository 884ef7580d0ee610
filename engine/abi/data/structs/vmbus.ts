import { structTable } from '../../layout/table.ts';

/** What Linux calls header.msgtype is `vmbus` here and in the event text: the member that says which message it is. */
const HEADER = `
  0 vmbus u32 @vmbusMessages
  4 padding u32`;

const CONTACT = `${HEADER}
  8 vmbus_version_requested u32 @vmbusVersions
  12 target_vcpu u32 vp
  16 interrupt_page u64 gpa when else
  16 msg_sint u8 when vmbus_version_requested>=VERSION_WIN10_V5
  17 msg_vtl u8 when vmbus_version_requested>=VERSION_WIN10_V5
  18 reserved u8[2] when vmbus_version_requested>=VERSION_WIN10_V5
  20 feature_flags u32 @vmbusFeatures when vmbus_version_requested>=VERSION_WIN10_V5
  24 monitor_page1 u64 gpa
  32 monitor_page2 u64 gpa`;

const VERSION_RESPONSE = `${HEADER}
  8 version_supported u8
  9 connection_state u8 @vmbusConnectionStates
  10 padding2 u16
  12 msg_conn_id u32`;

const OPEN = `${HEADER}
  8 child_relid u32
  12 openid u32
  16 ringbuffer_gpadlhandle u32 hex
  20 target_vp u32 vp
  24 downstream_ringbuffer_pageoffset u32
  28 userdata u8[120]`;

const TL_CONNECT = `${HEADER}
  8 guest_endpoint_id u8[16] guid
  24 host_service_id u8[16] guid`;

/** Channel messages of VMBus, header included. Format: ./README.md. */
export const VMBUS_STRUCTS = [
  structTable(
    'Linux 7.2 include/linux/hyperv.h',
    `
struct vmbus_channel_message_header 8${HEADER}
struct vmbus_channel_offer 176
  0 if_type u8[16] guid
  16 if_instance u8[16] guid
  32 reserved1 u64
  40 reserved2 u64
  48 chn_flags u16 @vmbusChannelFlags
  50 mmio_megabytes u16
  52 u union(120)
    52 std struct(120) when else
      52 user_def u8[120]
    52 pipe struct(120) when ^chn_flags&VMBUS_CHANNEL_NAMED_PIPE_MODE
      52 pipe_mode u32 @vmbusPipeTypes
      56 user_def u8[116]
  172 sub_channel_index u16
  174 reserved3 u16
struct vmbus_channel_offer_channel 196${HEADER}
  8 offer vmbus_channel_offer
  184 child_relid u32
  188 monitorid u8
  189 - u8
    [0] monitor_allocated
    [1..7] reserved
  190 - u16
    [0] is_dedicated_interrupt
    [1..15] reserved1
  192 connection_id u32 hex
struct vmbus_channel_rescind_offer 12${HEADER}
  8 child_relid u32
struct vmbus_channel_open_channel 148${OPEN}
struct vmbus_channel_open_result 20${HEADER}
  8 child_relid u32
  12 openid u32
  16 status u32 hex
struct vmbus_channel_close_channel 12${HEADER}
  8 child_relid u32
struct gpa_range 8
  0 byte_count u32 hex
  4 byte_offset u32 hex
  8 pfn_array u64[] pfn
struct vmbus_channel_gpadl_header 20${HEADER}
  8 child_relid u32
  12 gpadl u32 hex
  16 range_buflen u16
  18 rangecount u16
  20 range gpa_range[]
struct vmbus_channel_gpadl_body 16${HEADER}
  8 msgnumber u32
  12 gpadl u32 hex
  16 pfn u64[] pfn
struct vmbus_channel_gpadl_created 20${HEADER}
  8 child_relid u32
  12 gpadl u32 hex
  16 creation_status u32 hex
struct vmbus_channel_gpadl_teardown 16${HEADER}
  8 child_relid u32
  12 gpadl u32 hex
struct vmbus_channel_gpadl_torndown 12${HEADER}
  8 gpadl u32 hex
struct vmbus_channel_relid_released 12${HEADER}
  8 child_relid u32
struct vmbus_channel_initiate_contact 40${CONTACT}
struct vmbus_channel_version_response 16${VERSION_RESPONSE}
struct vmbus_channel_tl_connect_request 40${TL_CONNECT}
struct vmbus_channel_modifychannel 16${HEADER}
  8 child_relid u32
  12 target_vp u32 vp
struct vmbus_channel_modifychannel_response 16${HEADER}
  8 child_relid u32
  12 status u32 hex
`,
  ),
  structTable(
    'openvmm vmbus_core/src/protocol.rs',
    `
struct vmbus_channel_initiate_contact2 56${CONTACT}
  40 client_id u8[16] guid
struct vmbus_channel_version_response2 20${VERSION_RESPONSE}
  16 supported_features u32 @vmbusFeatures
struct vmbus_channel_open_channel2 156${OPEN}
  148 connection_id u32 hex
  152 event_flag u16
  154 - u16
    [0] redirect_interrupt
    [1..15] unused
struct vmbus_channel_open_reserved_channel 28${HEADER}
  8 child_relid u32
  12 target_vp u32 vp
  16 target_sint u32
  20 ringbuffer_gpadlhandle u32 hex
  24 downstream_ringbuffer_pageoffset u32
struct vmbus_channel_close_reserved_channel 20${HEADER}
  8 child_relid u32
  12 target_vp u32 vp
  16 target_sint u32
struct vmbus_channel_close_reserved_response 12${HEADER}
  8 child_relid u32
struct vmbus_channel_tl_connect_request2 56${TL_CONNECT}
  40 silo_id u8[16] guid
struct vmbus_channel_tl_connect_result 44${HEADER}
  8 guest_endpoint_id u8[16] guid
  24 host_service_id u8[16] guid
  40 status s32
struct vmbus_channel_modify_connection 24${HEADER}
  8 monitor_page1 u64 gpa
  16 monitor_page2 u64 gpa
struct vmbus_channel_modify_connection_response 9${HEADER}
  8 connection_state u8 @vmbusConnectionStates
`,
  ),
];
