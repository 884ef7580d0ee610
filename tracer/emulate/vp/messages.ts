/** What the thread of a VP is given. */
export interface VpData {
  /** Of the partition's ./memory-map.ts and of the VP's ./channel.ts. */
  readonly memory: SharedArrayBuffer;
  readonly channel: SharedArrayBuffer;
  /** eventfd that says that the VP was handed back. */
  readonly wake: number;
  /** When the guest's time began: of process.hrtime. */
  readonly start: bigint;
}
