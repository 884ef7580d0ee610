/** Address of an MSR. */
export type MsrAddress = number & { readonly __msrAddress: unique symbol };

/** Call code of a hypercall (bits 0..15 of the control word). */
export type HypercallCode = number & { readonly __hypercallCode: unique symbol };

/** Status of a hypercall (bits 0..15 of the result word). */
export type StatusCode = number & { readonly __statusCode: unique symbol };

/** Name code of a VP register. */
export type RegisterName = number & { readonly __registerName: unique symbol };

/** Type of a SynIC message. */
export type MessageType = number & { readonly __messageType: unique symbol };

/** Code of a partition property. */
export type PropertyCode = number & { readonly __propertyCode: unique symbol };

/** Name of a struct of the tables, as it stands in the ABI table (`hv_input_get_vp_registers`). */
export type StructName = string & { readonly __structName: unique symbol };

/** The five ioctl number spaces that share type 0xB8. */
export type IoctlDialect = 'upstream' | 'rfc2020' | 'vtl' | 'rust-vmm' | 'dom0-legacy';
export const IOCTL_DIALECTS: readonly IoctlDialect[] = [
  'upstream',
  'rfc2020',
  'vtl',
  'rust-vmm',
  'dom0-legacy',
];

/** What kind of open file an ioctl is issued on; the number means nothing without it. */
export type FdKind =
  | 'device'
  | 'partition'
  | 'vp'
  | 'vtl'
  | 'hvcall'
  | 'sint'
  | 'vtl-low'
  | 'passthru-device';

/** Where a descriptor of that kind comes from: a path, or the call that returns it. */
export const FD_SOURCES: Readonly<Record<FdKind, string>> = {
  device: '/dev/mshv',
  partition: 'anon_inode:mshv_partition',
  vp: 'anon_inode:mshv_vp',
  vtl: 'fd returned by MSHV_CREATE_VTL',
  hvcall: '/dev/mshv_hvcall',
  sint: '/dev/mshv_sint',
  'vtl-low': '/dev/mshv_vtl_low',
  'passthru-device': 'fd returned by MSHV_CREATE_DEVICE',
};
