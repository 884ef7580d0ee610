import type { Profile } from '../../engine/trace/profile.ts';
import type { GivenProfile } from '../../engine/trace/profile-read.ts';
import type { Emitter } from '../sources/emitter.ts';
import type { Tally } from './tally.ts';

/** Forms of text that other programs write. */
export const FORM_NAMES = ['strace', 'ftrace', 'trace-cmd', 'perf', 'dmesg'] as const;
export type FormName = (typeof FORM_NAMES)[number];

/** Takes the lines of a text in order. Any text is taken. */
export interface FormReader {
  /** `tid`: the thread whose file the line stands in, where each thread has its own. */
  line(text: string, tid: number | undefined): void;
  /** After the last line. */
  finish(): void;
}

/** Reads ahead, before anything is written, what must be known from the start. */
export interface FormSurvey {
  line(text: string, tid: number | undefined): void;
  /** Nothing further can be learnt: the rest need not be read. */
  readonly done: boolean;
  /** What the text says of the machine: keys of a profile. */
  profile(): GivenProfile;
  /** Makes the reader, with what was learnt; `profile` is that of the trace, the user's wishes included. */
  reader(emitter: Emitter, tally: Tally, profile: Profile): FormReader;
}

export interface Form {
  readonly name: FormName;
  /** Whether a line is of this form. */
  fits(line: string): boolean;
  /** `profile`: what the user said. */
  survey(given: GivenProfile): FormSurvey;
}
