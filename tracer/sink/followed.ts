import { Follower } from '../../engine/analysis/follow.ts';
import type { Sides } from '../../engine/machine/machine.ts';
import type { Ahead } from '../../engine/replay/ahead.ts';
import { LOOK_AHEAD_EVENTS } from '../../engine/replay/source.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { Seq } from '../../engine/trace/position.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import type { CallAnswer, TraceWriter } from '../store/index.ts';
import type { EventSink } from './event-sink.ts';
import { isWait, Ring } from './ring.ts';
import { type RingLimit, stretchOf } from './ring-limit.ts';

/** Events that wait behind a call without an answer at most: then it is replayed without one. */
const MOST_HELD = 4096;

/**
 * A flight recorder of calls that somebody else answers: a replay keeps step with it, which gives it the machine's state and says
 * when a rule is broken. Replay needs the answer of a call before it takes what comes behind it; a wait for a guest alone may last.
 */
export class FollowedRing implements EventSink {
  readonly #limit: RingLimit;
  readonly #sides: Sides;
  readonly #stretch: number;
  #profile: Profile;
  #ring: Ring;
  /** Undefined where the state of what was let go is not known any more. */
  #follower: Follower | undefined;
  #sinceRest = 0;
  /** Events that are not in the ring yet; the first of them is a call without its answer. */
  #held: TraceEvent[] = [];
  /** Calls without an answer, wherever they stand. */
  readonly #open = new Map<Seq, TraceEvent>();
  /** A partition was opened whose id was not known then, and those that have been named since. */
  #hasUnnamed = false;
  readonly #named = new Set<bigint>();
  /** A replay that begins again comes to the same findings. */
  readonly #told = new Set<string>();

  constructor(limit: RingLimit, profile: Profile, sides: Sides) {
    this.#limit = limit;
    this.#profile = profile;
    this.#sides = sides;
    this.#stretch = stretchOf(limit);
    this.#ring = new Ring(limit);
    this.#follower = new Follower(profile, sides);
  }

  /** Events that it has let go. */
  get gone(): number {
    return this.#ring.gone;
  }

  /** Calls have not returned. */
  get isUnderWay(): boolean {
    return this.#open.size > 0;
  }

  append(event: TraceEvent): void {
    this.#held.push(event);
    if (this.#learns(event)) this.#again();
    else this.#pass();
  }

  begin(event: TraceEvent): void {
    this.#open.set(event.seq, event);
    this.append(event);
  }

  complete(seq: Seq, answer: CallAnswer): void {
    const entry = this.#open.get(seq);
    if (entry === undefined) return;
    this.#open.delete(seq);
    const event = { ...entry, ...answer } as TraceEvent;
    this.#learns(event);
    const place = this.#held.findIndex((held) => held.seq === seq);
    if (place < 0) {
      this.#ring.complete(seq, answer);
      this.#follower?.answer(event);
    } else {
      this.#held[place] = event;
      this.#pass();
    }
  }

  /** Findings of the rules that have come up since this was last asked. */
  news(): readonly string[] {
    const news = (this.#follower?.watch.news() ?? []).filter((finding) => !this.#told.has(finding));
    for (const finding of news) this.#told.add(finding);
    return news;
  }

  /** It has become known which kernel it is: what is held is replayed anew with that. */
  readAs(profile: Profile): void {
    if (profile.kernel === this.#profile.kernel) return;
    this.#profile = profile;
    if (this.#ring.gone > 0) this.#follower = undefined;
    else this.#again();
  }

  /** Writes what it holds, numbered from 1; it goes on. */
  writeTo(writer: TraceWriter): void {
    this.#ring.writeTo(writer, this.#held);
  }

  /** What is held is replayed anew. */
  #again(): void {
    const events = [...this.#ring.events(), ...this.#held];
    this.#ring = new Ring(this.#limit);
    this.#follower = new Follower(this.#profile, this.#sides);
    this.#sinceRest = 0;
    this.#held = events;
    this.#pass();
  }

  /**
   * A recorder learns the id of a partition late. Replay has given it one of its own by then: as long as nothing is gone it begins
   * again, and finds the id ahead.
   */
  #learns(event: TraceEvent): boolean {
    if (event.kind !== 'ioctl' && event.kind !== 'fd') return false;
    const opened = event.kind === 'ioctl' ? event.out?.handle : undefined;
    if (opened?.kind === 'partition' && opened.partition === undefined) this.#hasUnnamed = true;
    const { handle } = event;
    const id = handle?.kind === 'partition' || handle?.kind === 'vp' ? handle.partition : undefined;
    if (!this.#hasUnnamed || id === undefined || this.#named.has(id)) return false;
    this.#named.add(id);
    return this.#ring.gone === 0;
  }

  /** Hands on what replay can take. */
  #pass(): void {
    let done = 0;
    for (const event of this.#held) {
      const isOpen = this.#open.has(event.seq);
      if (isOpen && !isWait(event) && this.#held.length - done <= MOST_HELD) break;
      this.#rest(event);
      done++;
      if (isOpen) this.#ring.begin(event);
      else this.#ring.append(event);
      this.#follower?.feed(event, sees(this.#held, done));
    }
    this.#held.splice(0, done);
  }

  #rest(next: TraceEvent): void {
    this.#sinceRest++;
    if (this.#sinceRest < this.#stretch) return;
    const rest = this.#follower?.rest(next.t, sees([next], 0));
    if (rest === undefined) return;
    this.#sinceRest = 0;
    this.#ring.rest(rest.checkpoint, rest.tables);
  }
}

/** What replay may see of the events to come, from `first` on. */
function sees(events: readonly TraceEvent[], first: number): Ahead {
  return {
    some: (test) => events.slice(first, first + LOOK_AHEAD_EVENTS).some(test),
    time: () => events[first]?.t,
  };
}
