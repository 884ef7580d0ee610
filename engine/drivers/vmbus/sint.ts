/** VMBus has SINT2, and one CPU that talks to the host (Linux 7.2: VMBUS_MESSAGE_SINT, VMBUS_CONNECT_CPU). */
export const VMBUS_SINT = 2;
export const CONNECT_CPU = 0;
