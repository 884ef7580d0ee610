import type { Profile } from '../../../engine/trace/profile.ts';
import type { GivenProfile } from '../../../engine/trace/profile-read.ts';
import type { Emitter } from '../../sources/emitter.ts';
import type { Form, FormName, FormReader, FormSurvey } from '../form.ts';
import type { Tally } from '../tally.ts';
import { parseLogLine, parsePerfLine, parseTaskLine, type TraceLine } from './line.ts';
import { TraceReader } from './reader.ts';

/** The most that a profile can have. */
const MAX_CPUS = 4096;
/** Columns and headers that tell how many CPUs there are: `[003]`, `[C3]`, `#P:4`, `cpus=4`. */
const CPU = /\[(?:\s{0,8}C)?(\d{1,4})\]/;
const CPUS = /(?:#P:|^cpus=)(\d{1,4})\b/;

/** Counts the CPUs. */
class TraceSurvey implements FormSurvey {
  readonly done = false;
  readonly #parse: (line: string) => TraceLine;
  #cpus = 1;

  constructor(parse: (line: string) => TraceLine) {
    this.#parse = parse;
  }

  line(text: string): void {
    const all = CPUS.exec(text);
    const one = all === null ? CPU.exec(text) : null;
    const cpus = all === null ? Number(one?.[1] ?? 0) + 1 : Number(all[1]);
    // What stands in brackets need not be the CPU: a number that would add CPUs is looked at.
    if (cpus > this.#cpus && cpus <= MAX_CPUS) this.#cpus = all === null ? this.#least(text) : cpus;
  }

  profile(): GivenProfile {
    return { cpus: this.#cpus };
  }

  reader(emitter: Emitter, tally: Tally, _profile: Profile): FormReader {
    return new TraceReader(emitter, tally, this.#parse);
  }

  #least(text: string): number {
    const line = this.#parse(text);
    const cpu = line.kind === 'record' || line.kind === 'message' ? (line.cpu ?? 0) : 0;
    return cpu < MAX_CPUS ? Math.max(this.#cpus, cpu + 1) : this.#cpus;
  }
}

/** Kinds of line that tell a form; a stack alone tells little, but most lines may be of one. */
const OWN_KINDS = new Set(['record', 'stack', 'stack-of', 'lost']);

function form(name: FormName, parse: (line: string) => TraceLine, isOwn: (line: string) => boolean): Form {
  return {
    name,
    fits: (line) => isOwn(line) || OWN_KINDS.has(parse(line).kind),
    survey: () => new TraceSurvey(parse),
  };
}

/** What `trace` and `trace_pipe` of tracefs give. */
export const FTRACE = form('ftrace', parseTaskLine, (line) => line.startsWith('#'));
/** `trace-cmd report`: the same columns, as libtraceevent lays them out; its head says the CPUs. */
export const TRACE_CMD: Form = {
  ...form('trace-cmd', parseTaskLine, () => false),
  fits: (line) => {
    const { kind } = parseTaskLine(line);
    if (kind === 'record') return WITHOUT_FLAGS.test(line);
    return kind === 'stack' || kind === 'stack-of' || kind === 'lost' || HEAD_OF_TRACE_CMD.test(line);
  },
};
const HEAD_OF_TRACE_CMD = /^(?:cpus=|version = )/;
/** A CPU in brackets without flags behind it, or (`report -l`) one without brackets. */
const WITHOUT_FLAGS = /(?:\[\d{3,5}\]|-\d+\s+\d{1,5}[^\s:\d][^\s:]*)\s+\d+(?:\.\d+)?:/;
/** `perf script`. */
export const PERF = form('perf', parsePerfLine, () => false);
/** The kernel's log: with `tp_printk` every event stands in it. */
export const DMESG: Form = {
  ...form('dmesg', parseLogLine, () => false),
  fits: (line) => {
    const { kind } = parseLogLine(line);
    return kind === 'record' || kind === 'message';
  },
};
