import type { MessagePort } from 'node:worker_threads';

/** What a thread is given to run a VP: the memory of the partition's ./memory-map.ts and of the VP's ./channel.ts. */
export interface VpData {
  readonly memory: SharedArrayBuffer;
  readonly channel: SharedArrayBuffer;
}

/** What a thread for VPs is started with. */
export interface VpThreadData {
  /** Where a {@link VpData} waits whenever the number behind the gate has grown; undefined is the end. */
  readonly port: MessagePort;
  readonly gate: SharedArrayBuffer;
  /** eventfd that says that a VP was handed back. */
  readonly wake: number;
  /** When the guest's time began: of process.hrtime. */
  readonly start: bigint;
}
