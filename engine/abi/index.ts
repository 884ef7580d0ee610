/** The one public face of the ABI tables and their codec. */

export { type BitValue, decodeBits, decodeMsr, encodeBits, encodeMsr } from './codec/bits.ts';
export {
  type ControlWord,
  decodeControl,
  decodeResult,
  encodeControl,
  encodeResult,
  type ResultWord,
} from './codec/words.ts';
export * from './ids.ts';
export { type FieldHandle, fieldOf, readU32, readU64, writeField } from './layout/field.ts';
export type { Condition, Field, FieldType, StructLayout } from './layout/layout.ts';
export { findStruct, sizeOfStruct, structNames, structOf } from './layout/structs.ts';
export type { BitField, Display } from './lookup/bit-fields.ts';
export { constant, constantNumber, constants, findConstant } from './lookup/constants.ts';
export { type ErrnoName, type ErrnoRow, errnoNumber, errnos } from './lookup/errnos.ts';
export { type HypercallRow, hypercalls, type OutputList, type Passthrough } from './lookup/hypercalls.ts';
export {
  type BufferShape,
  IOCTL_TYPE,
  type IoctlDirection,
  type IoctlRow,
  ioctlNumber,
  ioctlParts,
} from './lookup/ioctl-row.ts';
export { allIoctls, findIoctl, ioctlNamed, ioctlOf, ioctlsOf, meaningsOfIoctl } from './lookup/ioctls.ts';
export { MESSAGE_BYTES, MESSAGE_HEADER_BYTES, type MessageTypeRow, messageTypes } from './lookup/messages.ts';
export { type MsrRow, msrs } from './lookup/msrs.ts';
export { isUnknown, type NamedRow, NameTable, type Unknown } from './lookup/name-table.ts';
export { partitionProperties } from './lookup/properties.ts';
export { type RegisterRow, registers } from './lookup/registers.ts';
export { type EnumSet, type Flag, type FlagSet, setOf, type ValueSet, valueSets } from './lookup/sets.ts';
export { type ErrnoMapping, errnoOfStatus, type StatusRow, statuses } from './lookup/statuses.ts';
export { bytesOfHex, hexOf, hexOfBytes, parseUnsigned } from './text.ts';
