import { Machine, type Sides } from '../machine/machine.ts';
import type { Ahead } from '../replay/ahead.ts';
import type { Checkpoint } from '../replay/history.ts';
import { Replayer } from '../replay/replayer.ts';
import type { Step } from '../replay/step.ts';
import { RULES } from '../rules/catalogue.ts';
import { createJudge, type Judgement } from '../rules/judge.ts';
import type { StoreTables } from '../state/checkpoint.ts';
import type { CellStore } from '../state/store.ts';
import type { EventKind, TraceEvent } from '../trace/event.ts';
import type { TimeNs } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';

/** All rules over a machine that runs: tells that something is wrong while it goes on. */
export class Watch {
  readonly #judge: Judgement;
  #told = 0;

  constructor(profile: Profile) {
    this.#judge = createJudge(RULES, profile);
  }

  /** Hand in every step, in the order of effect, as the machine stands then. */
  step(step: Step, store: CellStore): void {
    this.#judge.step(step, store);
  }

  /** Findings that have come up since this was last asked, as `RULE:cause`. */
  news(): readonly string[] {
    const begun = this.#judge.begun();
    const fresh = begun.slice(this.#told);
    this.#told = begun.length;
    return fresh.map(({ id }) => id);
  }
}

/**
 * A replay that keeps step with a recording: it has the machine's state as the events so far have made it. The recording shows calls
 * alone, nothing below them.
 */
export class Follower {
  readonly watch: Watch;
  readonly #machine: Machine;
  readonly #replayer: Replayer;
  #next = 1;

  constructor(profile: Profile, sides: Sides) {
    this.watch = new Watch(profile);
    this.#machine = Machine.initial(profile, sides);
    this.#replayer = new Replayer({
      machine: this.#machine,
      numbering: 'derive',
      childKinds: new Set<EventKind>(),
      observe: (step) => this.watch.step(step, this.#machine.store),
    });
  }

  /** Takes the next event. A call may lack its answer where replay does without: a wait for a guest. */
  feed(event: TraceEvent, ahead: Ahead): void {
    this.#replayer.feed(event, ahead);
    this.#next = event.seq + 1;
  }

  /** A call that lacked its answer has it now. */
  answer(event: TraceEvent): void {
    this.#replayer.answer(event);
  }

  /** The state before the next event, at `t`; undefined where the machine is in the middle of something. */
  rest(
    t: TimeNs,
    ahead: Ahead,
  ): { readonly checkpoint: Checkpoint; readonly tables: StoreTables } | undefined {
    this.#replayer.settle(t, ahead);
    if (!this.#replayer.atRest) return undefined;
    const { store } = this.#machine;
    const checkpoint = { nextSeq: this.#next, store: store.checkpoint(), open: this.#replayer.openCalls() };
    return { checkpoint, tables: store.tables };
  }
}
