import { dialectOf } from '../../../engine/trace/dialect.ts';
import type { Profile } from '../../../engine/trace/profile.ts';
import type { GivenProfile } from '../../../engine/trace/profile-read.ts';
import { Emitter, type EventSink } from '../../sources/emitter.ts';
import type { Form, FormReader, FormSurvey } from '../form.ts';
import { Tally } from '../tally.ts';
import { DialectGuess } from './dialect-guess.ts';
import { parseStraceLine } from './line.ts';
import { StraceReader } from './reader.ts';

const NOWHERE: EventSink = { append: () => {}, begin: () => {}, complete: () => {} };
const READ_KINDS = new Set(['call', 'unfinished', 'resumed', 'signal', 'exit']);

/** Plays the text without writing anything, until one dialect is left. */
class StraceSurvey implements FormSurvey {
  readonly #guess: DialectGuess;
  readonly #ahead: StraceReader;

  constructor(given: GivenProfile) {
    const { kernel } = given;
    const known =
      kernel === undefined || kernel === 'unknown' ? undefined : dialectOf(kernel as Profile['kernel']);
    this.#guess = new DialectGuess(known);
    const emitter = new Emitter(NOWHERE);
    this.#ahead = new StraceReader({
      emitter,
      tally: new Tally(emitter),
      guess: this.#guess,
      usual: 'upstream',
    });
  }

  get done(): boolean {
    return this.#guess.decided !== undefined;
  }

  line(text: string, tid: number | undefined): void {
    this.#ahead.line(text, tid);
  }

  profile(): GivenProfile {
    return {};
  }

  reader(emitter: Emitter, tally: Tally, profile: Profile): FormReader {
    const { dialect, why } = this.#guess.verdict;
    const usual = dialectOf(profile.kernel);
    tally.note(`ioctl numbers are read in the dialect ${dialect}: ${why}`, 0);
    const reader = new StraceReader({ emitter, tally, guess: new DialectGuess(dialect), usual });
    return {
      line: (text, tid) => reader.line(text, tid),
      finish() {
        reader.finish();
        tally.note(reader.times, emitter.now);
      },
    };
  }
}

/** What strace writes to a terminal or with -o; one file for all, or one for each thread (-ff). */
export const STRACE: Form = {
  name: 'strace',
  fits: (line) => READ_KINDS.has(parseStraceLine(line).body.kind),
  survey: (given) => new StraceSurvey(given),
};
