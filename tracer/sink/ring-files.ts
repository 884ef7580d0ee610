import type { TraceWriter } from '../store/index.ts';
import type { Ring } from './ring.ts';

/** Makes a file for what a ring holds; `started`: it has let go of nothing. A number: of a copy beside the recording. */
export type RingFile = (started: boolean, number: number | undefined) => TraceWriter;

/** What files are made of. */
export interface Held extends Pick<Ring, 'gone' | 'isUnderWay'> {
  writeTo(writer: TraceWriter): void;
}

/** Copies that findings make at most: where everything is wrong the first ones say so. */
const MOST_FOR_FINDINGS = 8;

/** The files of a flight recorder: the recording, and copies beside it when they are asked for and when a rule is broken. */
export class RingFiles {
  readonly #held: Held;
  readonly #fileFor: RingFile;
  readonly #found: (finding: string, number: number) => void;
  #copies = 0;
  #forFindings = 0;
  /** Events in the file that was written last. */
  written = 0;

  /** `found` is told of each copy that is made because of a finding. */
  constructor(held: Held, fileFor: RingFile, found: (finding: string, number: number) => void) {
    this.#held = held;
    this.#fileFor = fileFor;
    this.#found = found;
  }

  /** The recording itself; `cut`: calls are under way that may return. */
  write(cut = false): void {
    this.#write(undefined, cut);
  }

  copy(): void {
    this.#copies++;
    this.#write(this.#copies, false);
  }

  /** Findings that have come up by now: the first is what the copy is made for, and holds the others too. */
  news([finding]: readonly string[]): void {
    if (finding === undefined || this.#forFindings === MOST_FOR_FINDINGS) return;
    this.#forFindings++;
    this.copy();
    this.#found(finding, this.#copies);
  }

  #write(number: number | undefined, cut: boolean): void {
    const writer = this.#fileFor(this.#held.gone === 0, number);
    try {
      this.#held.writeTo(writer);
    } finally {
      this.written = writer.events;
      writer.close(cut || this.#held.isUnderWay);
    }
  }
}

/** What the user is told of a copy that was made because of a finding. */
export function toldOf(finding: string, copy: string): string {
  return `${finding}: what led to it is in ${copy}`;
}
