import { PARTITION } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import { keyOf, TOP } from '../../../engine/state/store.ts';
import type { ClientMemory } from '../../process/client-memory.ts';
import type { Capture } from '../capture/capture.ts';
import type { Guest } from './guest.ts';
import { PartitionMemory } from './partition-memory.ts';

/** The memory of each partition's guest. */
export class GuestMemories {
  readonly #bytes: ClientMemory;
  readonly #machine: Machine;
  readonly #capture: Capture | undefined;
  readonly #memories = new Map<bigint, PartitionMemory>();

  /** `bytes` accesses memory; `capture`: the recording is to be executed again. */
  constructor(machine: Machine, bytes: ClientMemory, capture: Capture | undefined) {
    this.#machine = machine;
    this.#bytes = bytes;
    this.#capture = capture;
  }

  of(partition: bigint): PartitionMemory {
    let memory = this.#memories.get(partition);
    if (memory === undefined) {
      memory = new PartitionMemory(partition, this.#bytes);
      const capture = this.#capture?.of(partition);
      if (capture !== undefined) memory.watch((page, address) => capture.written(page, address));
      this.#memories.set(partition, memory);
    }
    return memory;
  }

  /** What the engine has mapped may have changed. */
  changed(): void {
    for (const memory of this.#memories.values()) memory.changed();
  }

  /** What the guest of a partition has lost goes, unless a thread runs one of its VPs and may look at it. */
  settle(partition: bigint, guests: readonly Guest[]): void {
    // Guests that are captured have no threads.
    const some =
      this.#capture === undefined && guests.some((one) => one.running && one.partition === partition);
    if (!some) this.#memories.get(partition)?.settle(this.#machine);
  }

  /** Partitions that are gone by now; their memory goes with {@link end}. */
  gone(): bigint[] {
    const { store } = this.#machine;
    return [...this.#memories.keys()].filter(
      (partition) => store.find(TOP, PARTITION, keyOf(partition)) === undefined,
    );
  }

  /** A partition is gone, and nothing runs its guest. */
  end(partition: bigint): void {
    this.#memories.get(partition)?.end(this.#machine);
    this.#memories.delete(partition);
    this.#capture?.forget(partition);
  }
}
