import type { Answer, DriverRun, Request } from '../machine/child.ts';
import type { Sides } from '../machine/machine.ts';
import type { DriverSide, DriverStimulus, Handler, HypervisorSide } from '../machine/sides.ts';
import type { CellId } from '../state/store.ts';
import { type Address, formatAddress } from '../trace/position.ts';
import type { History } from './history.ts';
import { returnOf } from './numbering.ts';
import { replaySegment } from './replay.ts';
import { Segments } from './segments.ts';
import type { EventSource } from './source.ts';
import type { Step } from './step.ts';

/** Cells that were looked at, each once, in the order of the last look: what decided stands last. */
export interface StepReads {
  /** By the hypervisor's side, while it answered. */
  readonly answer: readonly CellId[];
  /** By the driver, from the answer before up to this event; of a return, up to the outcome of the call. */
  readonly driver: readonly CellId[];
}

const NONE: StepReads = { answer: [], driver: [] };

/**
 * Which cells each step of a replay looked at. Nobody keeps that: the segment between two checkpoints is replayed by two
 * sides that are listened to, when one of its steps is asked for.
 */
export class ReadArchive {
  readonly #history: History;
  readonly #segments: Segments<ReadonlyMap<string, StepReads>>;

  constructor(source: EventSource, sides: Sides, history: History) {
    this.#history = history;
    this.#segments = new Segments(history, (from, to) => {
      const log = new ReadLog();
      const heard = {
        hypervisor: heardHypervisor(sides.hypervisor, log),
        drivers: heardDrivers(sides.drivers, log),
      };
      const read = (cell: number): void => log.read(cell);
      replaySegment(source, heard, from, to, history.tables, (step) => log.step(step), read);
      return log.steps;
    });
  }

  /** Of the event or return at a position. */
  of(address: Address): StepReads {
    const key = formatAddress(address);
    const entered = this.#segments.of(address.seq).get(key);
    if (entered !== undefined || address.sub === 0) return entered ?? NONE;
    const during = this.#history.returnedDuring(address.seq);
    return (during === undefined ? undefined : this.#segments.of(during).get(key)) ?? NONE;
  }
}

/** Sorts reads by who made them, and hands them to the step that comes next. */
class ReadLog {
  readonly steps = new Map<string, StepReads>();
  #heard: number[] = [];
  #answer: number[] = [];
  #driver: number[] = [];

  read(cell: number): void {
    this.#heard.push(cell);
  }

  /** Runs a piece of a side and returns the cells that it read. */
  #listen<R>(work: () => R): { readonly result: R; readonly cells: number[] } {
    const outer = this.#heard;
    this.#heard = [];
    const result = work();
    const cells = this.#heard;
    this.#heard = outer;
    return { result, cells };
  }

  answering<R>(work: () => R): R {
    const { result, cells } = this.#listen(work);
    this.#answer = cells;
    return result;
  }

  driving<R>(work: () => R): R {
    const { result, cells } = this.#listen(work);
    this.#driver = cells;
    return result;
  }

  /** What is read here decides nothing. */
  aside<R>(work: () => R): R {
    return this.#listen(work).result;
  }

  /** The driver has come to the outcome of a call. */
  outcome({ seq }: DriverStimulus): void {
    this.steps.set(formatAddress(returnOf(seq)), { answer: [], driver: once(this.#driver) });
  }

  step({ address, returned }: Step): void {
    if (returned) return;
    this.steps.set(formatAddress(address), { answer: once(this.#answer), driver: once(this.#driver) });
    this.#answer = [];
  }
}

function once(cells: readonly number[]): CellId[] {
  return [...new Set(cells.toReversed())].reverse() as CellId[];
}

function heardHypervisor(side: HypervisorSide, log: ReadLog): HypervisorSide {
  return {
    initialise: (context) => side.initialise(context),
    msr: (context, access) => log.answering(() => side.msr(context, access)),
    hypercall: (context, call) => log.answering(() => side.hypercall(context, call)),
    intercept: (context, event) => log.answering(() => side.intercept(context, event)),
    note: (context, event) => log.answering(() => side.note(context, event)),
    page: (context, event) => log.answering(() => side.page(context, event)),
  };
}

function heardDrivers(side: DriverSide, log: ReadLog): DriverSide {
  return {
    initialise: (context) => side.initialise(context),
    handler: (context, event) => {
      const handler = log.aside(() => side.handler(context, event));
      return handler === undefined ? undefined : heardHandler(handler, log);
    },
    called: (context, call, answer) => log.aside(() => side.called(context, call, answer)),
    followed: (context, call) => log.aside(() => side.followed(context, call)),
    lost: (context, event, shows) => log.aside(() => side.lost(context, event, shows)),
    noted: (context, event) => log.aside(() => side.noted(context, event)),
    file: (context, pid, fd) => log.aside(() => side.file(context, pid, fd)),
  };
}

function heardHandler(handler: Handler, log: ReadLog): Handler {
  return {
    ...handler,
    enter: (context, event) => {
      const entered = log.driving(() => handler.enter(context, event));
      if ('next' in entered) return heardRun(entered, log, () => log.outcome(event));
      log.outcome(event);
      return entered;
    },
    ...(handler.wake === undefined
      ? {}
      : {
          wake: (context, event, signal) => {
            const run = log.driving(() => handler.wake?.(context, event, signal)) as ReturnType<
              NonNullable<Handler['wake']>
            >;
            return heardRun(run, log, () => log.outcome(event));
          },
        }),
    ...(handler.leave === undefined
      ? {}
      : {
          leave: (context, event) => {
            const run = log.driving(() => handler.leave?.(context, event));
            return run === undefined ? undefined : heardRun(run, log, () => {});
          },
        }),
  };
}

/** A driver that goes from answer to answer as before. */
function* heardRun<Result>(run: DriverRun<Result>, log: ReadLog, ended: () => void): DriverRun<Result> {
  let answer: Answer = { kind: 'none' };
  for (;;) {
    const given: Answer = answer;
    const step: IteratorResult<Request, Result> = log.driving(() => run.next(given));
    if (step.done === true) {
      ended();
      return step.value;
    }
    answer = yield step.value;
  }
}
