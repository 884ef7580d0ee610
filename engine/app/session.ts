import { StepArchive } from '../replay/derived.ts';
import { findingToJson } from '../rules/finding.ts';
import { type Address, at, parseAddress } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';
import type {
  AppRequests,
  EventPage,
  EventRow,
  FilterProblem,
  TimelineSign,
  TimelineView,
  TraceInfo,
} from './api.ts';
import { Blamer } from './blame.ts';
import type { SessionCall } from './border.ts';
import { StateExplorer } from './cells.ts';
import { Changes } from './changes.ts';
import { Comparisons } from './compare/comparisons.ts';
import { Work } from './compare/work.ts';
import { eventDetail } from './detail.ts';
import { ExitIndex } from './exits/exit-index.ts';
import { Exits } from './exits/exits.ts';
import { bindFilter, completeFilter, type ReadyFilter, readEventFilter } from './filtering.ts';
import { traceInfo } from './info.ts';
import { KeptLists } from './kept-lists.ts';
import { allEvents, type EventList, EventReader, type Listed, matching } from './lists.ts';
import { Deeds } from './machine/deeds.ts';
import { gpaMaps } from './machine/gpa-map.ts';
import { type MachineGround, ObjectIndex } from './machine/ground.ts';
import { partitionLives } from './machine/partitions.ts';
import { msrMatrix } from './matrix.ts';
import { RowMaker } from './rows.ts';
import { NotThere, type SessionParts } from './session-parts.ts';
import { timelineMarks } from './timeline/signs.ts';
import { timelineView, withinBuckets } from './timeline/view.ts';

/** Writes of one answer. */
const MAX_WRITES = 10_000;

/** Answers the requests of the app. Pure: runs in Node, in a worker, or in the page. */
export class Session {
  readonly #parts: SessionParts;
  readonly #state: StateExplorer;
  readonly #reader: EventReader;
  readonly #rows: RowMaker;
  readonly #lists = new KeptLists();
  #marks: readonly TimelineSign[] | undefined;
  #index: ExitIndex | undefined;
  #exits: Exits | undefined;
  readonly #deeds: Deeds;
  #objects: ObjectIndex | undefined;
  #blamer: Blamer | undefined;
  #changes: Changes | undefined;
  #comparisons: Comparisons | undefined;
  readonly #work: Work;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#work = new Work(parts.breathe);
    this.#state = new StateExplorer(parts.history);
    this.#reader = new EventReader(parts.source, new StepArchive(parts.source, parts.sides, parts.history));
    this.#deeds = new Deeds(parts.source, this.#reader);
    this.#rows = new RowMaker({
      profile: parts.source.header.profile,
      findings: parts.findings,
      divergences: parts.report.divergences,
    });
  }

  /** Answers a request that the border has checked; throws {@link NotThere} for a position the trace lacks. */
  answer(call: SessionCall): AppRequests[SessionCall['method']]['out'] {
    switch (call.method) {
      case 'info':
        return this.#info();
      case 'replay':
        return this.#replay();
      case 'events':
        return this.#events(call.input);
      case 'locate':
        return this.#locate(call.input);
      case 'rows':
        return { rows: call.input.at.map((position) => this.#row(position)) };
      case 'event':
        return this.#detail(call.input.at);
      case 'state': {
        const cells = this.#state.cells(this.#address(call.input.at), call.input.path);
        if (cells === undefined) throw new NotThere(`${JSON.stringify(call.input.path)} is not a cell path`);
        return { cells };
      }
      case 'matrix':
        return msrMatrix(this.#state, this.#address(call.input.at), call.input.nested);
      case 'history': {
        const { path, at: position, limit } = call.input;
        const history = this.#state.writes(path, this.#address(position), Math.min(limit, MAX_WRITES));
        if (history === undefined) throw new NotThere(`no cell is called ${JSON.stringify(path)}`);
        return history;
      }
      case 'findings':
        return { findings: this.#parts.findings.map(findingToJson) };
      case 'timeline': {
        return this.#timeline(withinBuckets(call.input));
      }
      case 'exits':
        return this.#exitViews().page(call.input);
      case 'exitGroups':
        return this.#exitViews().groups(call.input.filter);
      case 'exitPlace':
        return this.#exitViews().place(call.input.filter, this.#address(call.input.at));
      case 'exit':
        return this.#exitViews().exit(this.#address(call.input.at));
      case 'partitions':
        return partitionLives(this.#machineAt(call.input.at), this.#exitIndex());
      case 'gpaMap':
        return gpaMaps(this.#machineAt(call.input.at));
      case 'blame': {
        const { source, sides } = this.#parts;
        this.#blamer ??= new Blamer({
          source,
          sides,
          state: this.#state,
          reader: this.#reader,
          rows: this.#rows,
        });
        return this.#blamer.blame(call.input.of, this.#address(call.input.at));
      }
      case 'whatIf':
        return this.#whatIfs().whatIf(call.input.edits);
      case 'suggest':
        return this.#whatIfs().suggest(call.input.finding);
      case 'compare':
        return this.#compared().view(call.input);
      case 'compareRows':
        return this.#compared().rows(call.input);
      case 'compareDetail':
        return this.#compared().detail(call.input);
      case 'comparePlace':
        return this.#compared().place(call.input);
      case 'work':
        return { work: this.#work.view };
      case 'cancel':
        return { cancelled: this.#work.cancel() };
      case 'complete':
        return completeFilter(call.input.filter, call.input.cursor, this.#profile);
    }
  }

  get #profile(): Profile {
    return this.#parts.source.header.profile;
  }

  #info(): TraceInfo {
    const { name, source, columns } = this.#parts;
    const { durationNs, components } = columns;
    return traceInfo({
      ...{ name, source, durationNs, components, other: this.#parts.other?.()?.name },
      kinds: columns.kindCounts(),
    });
  }

  #replay(): AppRequests['replay']['out'] {
    const { events, derived, checked, bound, divergences, hash } = this.#parts.report;
    return { events, derived, checked, bound, divergences, hash };
  }

  #events(input: AppRequests['events']['in']): EventPage | { problem: FilterProblem } {
    const list = this.#list(input.filter, input.derived);
    return 'problem' in list ? list : this.#rows.page(this.#reader, list, input);
  }

  #locate(input: AppRequests['locate']['in']): { index: number } {
    const list = this.#list(input.filter, input.derived);
    return { index: 'problem' in list ? 0 : list.indexOf(this.#address(input.at)) };
  }

  #list(filter: string, derived: boolean): EventList | { problem: FilterProblem } {
    const key = `${derived ? 'derived' : 'recorded'} ${filter}`;
    const kept = this.#lists.get(key);
    if (kept !== undefined) return kept;
    const all = allEvents(this.#parts.history, derived);
    let list = all;
    if (filter.trim() !== '') {
      const ready = readEventFilter(filter, this.#profile);
      if ('problem' in ready) return ready;
      list = matching(this.#reader, all, this.#bind(ready));
    }
    this.#lists.keep(key, list);
    return list;
  }

  #bind(filter: ReadyFilter): (listed: Listed) => boolean {
    return bindFilter(filter, {
      profile: this.#profile,
      state: this.#state,
      findings: this.#parts.findings,
      parentOf: (address) => this.#reader.get(address)?.parent,
    });
  }

  #row(position: string): EventRow | null {
    // The return of a call is shown as its call.
    const address = parseAddress(position.replace(/r$/, ''));
    const listed = address === undefined ? undefined : this.#reader.get(address);
    return listed === undefined ? null : this.#rows.of(listed);
  }

  #detail(position: string): AppRequests['event']['out'] {
    const address = this.#address(position);
    return eventDetail(address, {
      source: this.#parts.source,
      reader: this.#reader,
      rows: this.#rows,
      replayed: { ...this.#parts, state: this.#state },
    });
  }

  #machineAt(position: string): MachineGround {
    const address = this.#address(position);
    const { image } = this.#state;
    image.seek(address);
    this.#objects ??= new ObjectIndex(this.#parts.history);
    return {
      history: this.#parts.history,
      image,
      at: address,
      deeds: this.#deeds,
      objects: this.#objects,
    };
  }

  #exitIndex(): ExitIndex {
    this.#index ??= new ExitIndex(this.#parts.source, this.#reader);
    return this.#index;
  }

  #exitViews(): Exits {
    const ground = { parts: this.#parts, state: this.#state, reader: this.#reader, rows: this.#rows };
    this.#exits ??= new Exits(
      { ...ground, index: this.#exitIndex() },
      {
        read: (text) => readEventFilter(text, this.#profile),
        bind: (filter) => this.#bind(filter),
      },
    );
    return this.#exits;
  }

  #whatIfs(): Changes {
    this.#changes ??= new Changes({
      parts: this.#parts,
      reader: this.#reader,
      rows: this.#rows,
      work: this.#work,
    });
    return this.#changes;
  }

  #compared(): Comparisons {
    const ground = { parts: this.#parts, reader: this.#reader, work: this.#work };
    this.#comparisons ??= new Comparisons({ ...ground, changes: this.#whatIfs() });
    return this.#comparisons;
  }

  #timeline(input: AppRequests['timeline']['in']): TimelineView {
    const { columns, report, remarks = [] } = this.#parts;
    const timeOf = (seq: number): number => columns.timeOf(seq);
    this.#marks ??= timelineMarks(columns.marks, timeOf, report.divergences, remarks);
    return timelineView(input, columns, this.#marks);
  }

  #address(text: string): Address {
    if (text === '') return at(this.#parts.source.count);
    const address = parseAddress(text);
    if (address === undefined) throw new NotThere(`${JSON.stringify(text)} is not a position`);
    if (!this.#parts.history.has(address)) throw new NotThere(`the trace has no position ${text}`);
    return address;
  }
}
