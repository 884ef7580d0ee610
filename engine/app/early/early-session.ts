import type { EventSource } from '../../replay/source.ts';
import type { EventKind } from '../../trace/event.ts';
import { type Address, at, formatAddress, parseAddress } from '../../trace/position.ts';
import type { AppRequests, EventRow, FilterProblem, TimelineSign, TimelineView } from '../api.ts';
import type { SessionCall } from '../border.ts';
import { eventDetail } from '../detail.ts';
import { bindFilter, completeFilter, readEventFilter } from '../filtering.ts';
import { traceInfo } from '../info.ts';
import { KeptLists } from '../kept-lists.ts';
import { type EventList, EventReader, listOf, matching, recordedEvents } from '../lists.ts';
import { RowMaker } from '../rows.ts';
import { NotThere, NotYet, type Remark } from '../session-parts.ts';
import { MAX_MARKS, type MarkedEvent, markOf, timelineMarks } from '../timeline/signs.ts';
import { withinBuckets } from '../timeline/view.ts';
import { TiledTimeline } from './tiled-timeline.ts';
import type { TraceIndex } from './trace-index.ts';

/** A trace that is open and not replayed. */
export interface EarlyParts {
  readonly name: string;
  readonly source: EventSource;
  /** Number of events by kind, as the file has it. */
  readonly kinds: { readonly [K in EventKind]?: number };
  /** Undefined for a form of file that has none. */
  readonly index?: TraceIndex;
  readonly remarks?: readonly Remark[];
  /** Name of the trace that it will be compared with. */
  readonly other?: () => { readonly name: string } | undefined;
}

/** Answers what the file alone can tell, as {@link Session} would, of recorded events; to all else {@link NotYet}. */
export class EarlySession {
  readonly #parts: EarlyParts;
  readonly #reader: EventReader;
  readonly #rows: RowMaker;
  readonly #lists = new KeptLists();
  #timeline: TiledTimeline | undefined;

  constructor(parts: EarlyParts) {
    this.#parts = parts;
    this.#reader = new EventReader(parts.source);
    this.#rows = new RowMaker({ profile: parts.source.header.profile, findings: [], divergences: [] });
  }

  /** Throws {@link NotYet} for what needs the replay, {@link NotThere} for a position the trace lacks. */
  answer(call: SessionCall): AppRequests[SessionCall['method']]['out'] {
    switch (call.method) {
      case 'info':
        return this.#info();
      case 'events': {
        const list = this.#list(call.input.filter);
        return 'problem' in list ? list : this.#rows.page(this.#reader, list, call.input);
      }
      case 'locate': {
        const list = this.#list(call.input.filter);
        return { index: 'problem' in list ? 0 : list.indexOf(this.#address(call.input.at)) };
      }
      case 'rows':
        return { rows: call.input.at.map((position) => this.#row(position)) };
      case 'event': {
        const { source } = this.#parts;
        return eventDetail(this.#recorded(call.input.at), { source, reader: this.#reader, rows: this.#rows });
      }
      case 'timeline':
        return this.#timelineView(call.input);
      case 'complete':
        return completeFilter(call.input.filter, call.input.cursor, this.#parts.source.header.profile);
      default:
        throw new NotYet();
    }
  }

  #info(): AppRequests['info']['out'] {
    const { name, source, kinds, index } = this.#parts;
    let durationNs = 0;
    for (const event of source.range(source.count, source.count)) durationNs = event.t;
    const other = this.#parts.other?.()?.name;
    return traceInfo({ name, other, source, durationNs, kinds, components: index?.components() ?? [] });
  }

  #list(filter: string): EventList | { problem: FilterProblem } {
    const { source, index } = this.#parts;
    const all = recordedEvents(source.count);
    if (filter.trim() === '') return all;
    const kept = this.#lists.get(filter);
    if (kept !== undefined) return kept;
    const { profile } = source.header;
    const ready = readEventFilter(filter, profile);
    if ('problem' in ready) return ready;
    if (ready.needsReplay) throw new NotYet();
    const found = index?.matching(ready.plan);
    const candidates = found === undefined ? all : listOf(found.seqs);
    const plan = found === undefined ? ready.plan : found.residual;
    const parentOf = (address: Address): Address | undefined => this.#reader.get(address)?.parent;
    const list =
      plan === null
        ? candidates
        : matching(this.#reader, candidates, bindFilter({ ...ready, plan }, { profile, parentOf }));
    this.#lists.keep(filter, list);
    return list;
  }

  #row(position: string): EventRow | null {
    const address = parseAddress(position.replace(/r$/, ''));
    const listed = address === undefined ? undefined : this.#reader.get(address);
    return listed === undefined ? null : this.#rows.of(listed);
  }

  #timelineView(input: AppRequests['timeline']['in']): TimelineView {
    const { source, index, remarks = [] } = this.#parts;
    // Tiles could be counted now, by a pass over all events; the replay that runs makes one and brings more.
    if (index?.tiles === undefined) throw new NotYet();
    const { timeOf, tiles } = index;
    const signs = (): TimelineSign[] => timelineMarks(this.#marks(), timeOf, [], remarks);
    this.#timeline ??= new TiledTimeline(source, index, tiles, signs());
    return this.#timeline.view(withinBuckets(input));
  }

  /** Gaps and notes among the events. */
  #marks(): MarkedEvent[] {
    if ((this.#parts.kinds.mark ?? 0) === 0) return [];
    const list = this.#list('kind == mark');
    if ('problem' in list) throw new Error(list.problem.message);
    const marks: MarkedEvent[] = [];
    for (const { event } of this.#reader.each(list, 0, list.total)) {
      const mark = marks.length < MAX_MARKS ? markOf(event) : undefined;
      if (mark !== undefined) marks.push(mark);
    }
    return marks;
  }

  #recorded(text: string): Address {
    const address = this.#address(text);
    if (address.sub !== 0) throw new NotYet();
    return address;
  }

  #address(text: string): Address {
    const { count } = this.#parts.source;
    if (text === '') return at(count);
    const address = parseAddress(text);
    if (address === undefined) throw new NotThere(`${JSON.stringify(text)} is not a position`);
    if (address.seq > count) throw new NotThere(`the trace has no position ${formatAddress(address)}`);
    return address;
  }
}
