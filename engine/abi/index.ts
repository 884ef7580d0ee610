/** The one public face of the ABI tables and their codec. */

export { sameBytes } from './bytes.ts';
export { type BitValue, decodeBits, decodeMsr, encodeBits, encodeMsr } from './codec/bits.ts';
export { summarizeBits } from './codec/bits-summary.ts';
export { channelMessage, channelType } from './codec/channel-message.ts';
export { type DecodeOptions, decode } from './codec/decode.ts';
export type { DecodedField, DecodedStruct, DecodedValue } from './codec/decoded.ts';
export { encode } from './codec/encode.ts';
export { fromObject, type ReadOptions } from './codec/from-object.ts';
export {
  decodeHypercallInput,
  decodeHypercallOutput,
  type HypercallInput,
  hypercallInputFromObject,
  hypercallInputLayout,
  hypercallInputToObject,
  hypercallOutputFromObject,
  hypercallOutputLayout,
  hypercallOutputToObject,
} from './codec/hypercall.ts';
export {
  decodeIoctlArg,
  decodeIoctlIn,
  decodeIoctlOut,
  type IoctlBuffers,
  ioctlArgFromObject,
  ioctlArgToObject,
  ioctlDataFromObject,
  ioctlDataToObject,
  ioctlInFromObject,
  ioctlInToObject,
} from './codec/ioctl.ts';
export { argumentLayout } from './codec/ioctl-buffers.ts';
export {
  type IoctlAnswer,
  type IoctlOutResult,
  ioctlOutFromObject,
  ioctlOutToObject,
} from './codec/ioctl-out.ts';
export type { AbiJson, AbiObject, ObjectError, ObjectResult } from './codec/json.ts';
export {
  decodeMessage,
  decodePayload,
  payloadFromObject,
  payloadToObject,
  runMessageFromObject,
  runMessageToObject,
  slotFromObject,
  slotToObject,
} from './codec/message.ts';
export { decodeRegister } from './codec/register.ts';
export {
  mayHaveReservedSet,
  type ReservedBits,
  reservedBits,
  type SetReserved,
  setReserved,
} from './codec/reserved.ts';
export { toObject } from './codec/to-object.ts';
export {
  type ControlWord,
  decodeControl,
  decodeResult,
  encodeControl,
  encodeResult,
  type ResultWord,
} from './codec/words.ts';
export { STRUCT_SUBJECTS, type StructSubject } from './data/structs/index.ts';
export { type Explanation, explain } from './explain.ts';
export * from './ids.ts';
export { type FieldHandle, fieldOf, readHigh32, readU32, readU64, writeField } from './layout/field.ts';
export { highHalf, lowHalf, wholeOf } from './layout/halves.ts';
export type { Condition, Field, FieldType, StructLayout } from './layout/layout.ts';
export { findStruct, sizeOfStruct, structNames, structOf, structsOfSubject } from './layout/structs.ts';
export type { BitField, Display } from './lookup/bit-fields.ts';
export { constant, constantNumber, constants, findConstant } from './lookup/constants.ts';
export { type ErrnoName, type ErrnoRow, errnoNumber, errnos } from './lookup/errnos.ts';
export { type HypercallRow, hypercalls, type Passthrough } from './lookup/hypercalls.ts';
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
export { type NamedRow, NameTable, type Unknown } from './lookup/name-table.ts';
export { partitionProperties } from './lookup/properties.ts';
export { type RegisterRow, registers } from './lookup/registers.ts';
export { type EnumSet, type Flag, type FlagSet, setOf, type ValueSet, valueSets } from './lookup/sets.ts';
export { type ErrnoMapping, errnoOfStatus, type StatusRow, statuses } from './lookup/statuses.ts';
export {
  type ChannelMessageRow,
  channelMessages,
  VMBUS_MESSAGE_TYPE,
} from './lookup/vmbus.ts';
export { bytesOfHex, hexOf, hexOfBytes, parseUnsigned } from './text.ts';
