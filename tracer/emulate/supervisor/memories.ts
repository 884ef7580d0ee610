import type { Capture } from '../capture/capture.ts';
import { PartitionMemory } from './partition-memory.ts';

/** The memory of each partition's guest. */
export class Memories {
  readonly #memories = new Map<bigint, PartitionMemory>();
  readonly #capture: Capture | undefined;

  constructor(capture: Capture | undefined) {
    this.#capture = capture;
  }

  of(partition: bigint): PartitionMemory {
    let memory = this.#memories.get(partition);
    if (memory === undefined) {
      memory = new PartitionMemory(partition);
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
}
