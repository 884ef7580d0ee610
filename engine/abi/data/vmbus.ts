/**
 * Channel messages of VMBus, which stand in SynIC messages of type 1. Columns: type, name, who sends it, structs
 * (the shortest first; longer ones are those of protocol 6.0 or later, told apart by the size of the payload).
 * Source: Linux 7.2 include/linux/hyperv.h, enum vmbus_channel_message_type; who sends what from the handlers of
 * Linux 7.2 drivers/hv/channel_mgmt.c; 18 to 20 and from 25 on from openvmm vmbus_core/src/protocol.rs.
 */
export const VMBUS_MESSAGES = `
1 CHANNELMSG_OFFERCHANNEL host vmbus_channel_offer_channel
2 CHANNELMSG_RESCIND_CHANNELOFFER host vmbus_channel_rescind_offer
3 CHANNELMSG_REQUESTOFFERS guest vmbus_channel_message_header
4 CHANNELMSG_ALLOFFERS_DELIVERED host vmbus_channel_message_header
5 CHANNELMSG_OPENCHANNEL guest vmbus_channel_open_channel vmbus_channel_open_channel2
6 CHANNELMSG_OPENCHANNEL_RESULT host vmbus_channel_open_result
7 CHANNELMSG_CLOSECHANNEL guest vmbus_channel_close_channel
8 CHANNELMSG_GPADL_HEADER guest vmbus_channel_gpadl_header
9 CHANNELMSG_GPADL_BODY guest vmbus_channel_gpadl_body
10 CHANNELMSG_GPADL_CREATED host vmbus_channel_gpadl_created
11 CHANNELMSG_GPADL_TEARDOWN guest vmbus_channel_gpadl_teardown
12 CHANNELMSG_GPADL_TORNDOWN host vmbus_channel_gpadl_torndown
13 CHANNELMSG_RELID_RELEASED guest vmbus_channel_relid_released
14 CHANNELMSG_INITIATE_CONTACT guest vmbus_channel_initiate_contact vmbus_channel_initiate_contact2
15 CHANNELMSG_VERSION_RESPONSE host vmbus_channel_version_response vmbus_channel_version_response2
16 CHANNELMSG_UNLOAD guest vmbus_channel_message_header
17 CHANNELMSG_UNLOAD_RESPONSE host vmbus_channel_message_header
18 CHANNELMSG_18 guest vmbus_channel_open_reserved_channel # openvmm: OPEN_RESERVED_CHANNEL
19 CHANNELMSG_19 guest vmbus_channel_close_reserved_channel # openvmm: CLOSE_RESERVED_CHANNEL
20 CHANNELMSG_20 host vmbus_channel_close_reserved_response # openvmm: CLOSE_RESERVED_RESPONSE
21 CHANNELMSG_TL_CONNECT_REQUEST guest vmbus_channel_tl_connect_request vmbus_channel_tl_connect_request2
22 CHANNELMSG_MODIFYCHANNEL guest vmbus_channel_modifychannel
23 CHANNELMSG_TL_CONNECT_RESULT host vmbus_channel_tl_connect_result # Linux ignores it
24 CHANNELMSG_MODIFYCHANNEL_RESPONSE host vmbus_channel_modifychannel_response # from protocol 5.3 on
25 CHANNELMSG_MODIFY_CONNECTION guest vmbus_channel_modify_connection # openvmm; protocol 6.0
26 CHANNELMSG_MODIFY_CONNECTION_RESPONSE host vmbus_channel_modify_connection_response # openvmm; protocol 6.0
27 CHANNELMSG_PAUSE guest vmbus_channel_message_header # openvmm; protocol 6.0
28 CHANNELMSG_PAUSE_RESPONSE host vmbus_channel_message_header # openvmm; protocol 6.0
29 CHANNELMSG_RESUME guest vmbus_channel_message_header # openvmm; protocol 6.0
`;

/** Named values of channel messages, in the format of ./sets.ts. Source: as above. */
export const VMBUS_SETS = `
enum vmbusVersions VERSION_
  0xd VERSION_WS2008
  0x10001 VERSION_WIN7
  0x20004 VERSION_WIN8
  0x30000 VERSION_WIN8_1
  0x40000 VERSION_WIN10
  0x40001 VERSION_WIN10_V4_1
  0x50000 VERSION_WIN10_V5
  0x50001 VERSION_WIN10_V5_1
  0x50002 VERSION_WIN10_V5_2
  0x50003 VERSION_WIN10_V5_3
  0x60000 VERSION_WIN10_V6_0
flags vmbusFeatures VMBUS_FEATURE_FLAG_
  0x1 VMBUS_FEATURE_FLAG_GUEST_SPECIFIED_SIGNAL_PARAMETERS
  0x2 VMBUS_FEATURE_FLAG_CHANNEL_INTERRUPT_REDIRECTION
  0x4 VMBUS_FEATURE_FLAG_MODIFY_CONNECTION
  0x8 VMBUS_FEATURE_FLAG_CLIENT_ID
  0x10 VMBUS_FEATURE_FLAG_CONFIDENTIAL_CHANNELS
  0x20 VMBUS_FEATURE_FLAG_PAUSE_RESUME
enum vmbusConnectionStates VMBUS_CONNECTION_
  0 VMBUS_CONNECTION_SUCCESSFUL
  1 VMBUS_CONNECTION_FAILED_LOW_RESOURCES
  2 VMBUS_CONNECTION_FAILED_UNKNOWN_FAILURE
flags vmbusChannelFlags VMBUS_CHANNEL_
  0x1 VMBUS_CHANNEL_ENUMERATE_DEVICE_INTERFACE
  0x2 VMBUS_CHANNEL_CONFIDENTIAL_RING_BUFFER
  0x4 VMBUS_CHANNEL_CONFIDENTIAL_EXTERNAL_MEMORY
  0x10 VMBUS_CHANNEL_NAMED_PIPE_MODE
  0x100 VMBUS_CHANNEL_LOOPBACK_OFFER
  0x200 VMBUS_CHANNEL_PARENT_OFFER
  0x400 VMBUS_CHANNEL_REQUEST_MONITORED_NOTIFICATION
  0x2000 VMBUS_CHANNEL_TLNPI_PROVIDER_OFFER
enum vmbusPipeTypes VMBUS_PIPE_TYPE_
  0 VMBUS_PIPE_TYPE_BYTE
  4 VMBUS_PIPE_TYPE_MESSAGE
`;
