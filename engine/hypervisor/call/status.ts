import { statuses } from '../../abi/index.ts';

/** Statuses that the hypervisor gives, by the names of the ABI table without HV_STATUS_. */
export const STATUS = {
  SUCCESS: statuses.number('SUCCESS'),
  INVALID_HYPERCALL_CODE: statuses.number('INVALID_HYPERCALL_CODE'),
  INVALID_HYPERCALL_INPUT: statuses.number('INVALID_HYPERCALL_INPUT'),
  INVALID_ALIGNMENT: statuses.number('INVALID_ALIGNMENT'),
  INVALID_PARAMETER: statuses.number('INVALID_PARAMETER'),
  ACCESS_DENIED: statuses.number('ACCESS_DENIED'),
  INVALID_PARTITION_STATE: statuses.number('INVALID_PARTITION_STATE'),
  OPERATION_DENIED: statuses.number('OPERATION_DENIED'),
  UNKNOWN_PROPERTY: statuses.number('UNKNOWN_PROPERTY'),
  INSUFFICIENT_MEMORY: statuses.number('INSUFFICIENT_MEMORY'),
  INSUFFICIENT_ROOT_MEMORY: statuses.number('INSUFFICIENT_ROOT_MEMORY'),
  INVALID_PARTITION_ID: statuses.number('INVALID_PARTITION_ID'),
  INVALID_VP_INDEX: statuses.number('INVALID_VP_INDEX'),
  INVALID_PORT_ID: statuses.number('INVALID_PORT_ID'),
  INSUFFICIENT_BUFFERS: statuses.number('INSUFFICIENT_BUFFERS'),
  INVALID_SYNIC_STATE: statuses.number('INVALID_SYNIC_STATE'),
  INVALID_CONNECTION_ID: statuses.number('INVALID_CONNECTION_ID'),
  OBJECT_IN_USE: statuses.number('OBJECT_IN_USE'),
  INVALID_LP_INDEX: statuses.number('INVALID_LP_INDEX'),
  INVALID_REGISTER_VALUE: statuses.number('INVALID_REGISTER_VALUE'),
  UNKNOWN_REGISTER_NAME: statuses.number('UNKNOWN_REGISTER_NAME'),
  NOT_ACKNOWLEDGED: statuses.number('NOT_ACKNOWLEDGED'),
  CALL_PENDING: statuses.number('CALL_PENDING'),
  NO_RESOURCES: statuses.number('NO_RESOURCES'),
} as const;
