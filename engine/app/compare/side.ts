import type { Checked } from '../../analysis/check.ts';
import { standing } from '../../analysis/diff/diff.ts';
import type { Standing } from '../../analysis/diff/state.ts';
import type { Overlay } from '../../analysis/what-if/overlay.ts';
import type { StepArchive } from '../../replay/derived.ts';
import type { History } from '../../replay/history.ts';
import { returnOf } from '../../replay/numbering.ts';
import type { EventSource } from '../../replay/source.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { at, formatAddress, ORIGIN } from '../../trace/position.ts';
import { textContext } from '../../trace/text/context.ts';
import { formatEvent } from '../../trace/text/event-line.ts';
import type { EventRow } from '../api.ts';
import type { EventList, EventReader, Listed } from '../lists.ts';
import { RowMaker } from '../rows.ts';

/** One of two machines that stand beside each other. Events are numbered from 1. */
export interface Side {
  readonly name: string;
  readonly history: History;
  readonly events: EventList;
  /** Rows of the events with these numbers, in order. */
  rows(numbers: readonly number[]): ReadonlyMap<number, EventRow>;
  /** An event as a line of event text, and whether it lasts. */
  text(number: number): { readonly line: string; readonly lasts: boolean } | undefined;
  /** Where the machine stands after the event with a number; 0: before the first. */
  standing(number: number, returned: boolean): Standing;
}

interface Parts extends Pick<Checked, 'findings' | 'report'> {
  readonly name: string;
  readonly source: EventSource;
  readonly history: History;
  readonly events: EventList;
  /** The event with a number, or undefined. */
  get(number: number): Listed | undefined;
  /** The names of positions, where they are not those of the trace. */
  readonly overlay?: Overlay;
}

/** A replayed and judged trace as a side. */
export function sideOf(parts: Parts): Side {
  const { source, findings, report, history, events, overlay } = parts;
  const { profile } = source.header;
  const maker = new RowMaker({ profile, findings, divergences: report.divergences });
  const rowOf = ({ event, address, parent }: Listed): EventRow => {
    const row = maker.row(event, address, parent, 0);
    if (overlay === undefined) return row;
    return {
      ...row,
      at: overlay.label(address),
      ...(parent === undefined ? {} : { parent: overlay.label(parent) }),
    };
  };
  return {
    name: parts.name,
    history,
    events,
    rows(numbers) {
      const rows = new Map<number, EventRow>();
      for (const number of numbers) {
        const listed = parts.get(number);
        if (listed !== undefined) rows.set(number, rowOf(listed));
      }
      return rows;
    },
    text(number) {
      const event = parts.get(number)?.event;
      if (event === undefined) return undefined;
      const lasts = 'tEnd' in event && event.tEnd !== undefined;
      return { line: formatEvent(event, textContext(profile)), lasts };
    },
    standing(number, returned) {
      const address = number === 0 ? ORIGIN : events.address(number - 1);
      if (address === undefined || address.seq === 0) return { offset: history.offset(ORIGIN), seq: 0 };
      if (address.sub === 0) return standing(history, address.seq, returned);
      return { offset: history.offset(address), seq: address.seq };
    },
  };
}

/** The recorded events of a trace, by number. */
export function recorded(reader: EventReader): (number: number) => Listed | undefined {
  return (number) => reader.get(at(number));
}

/** The events of a changed trace with what they are told in it, by number in a list. */
export function replayedEvents(
  events: EventList,
  archive: StepArchive,
): (number: number) => Listed | undefined {
  return (number) => {
    const address = events.address(number - 1);
    const step = address === undefined ? undefined : archive.step(address);
    if (address === undefined || step === undefined) return undefined;
    const returned = address.sub === 0 ? archive.step(returnOf(address.seq))?.event : undefined;
    return { address, parent: step.parent, event: returned ?? (step.event as TraceEvent) };
  };
}

/** Number of the event at a position, exactly; 0 where the list has none. */
export function numberOf(events: EventList, position: Listed['address']): number {
  const index = events.indexOf(position);
  const found = events.address(index);
  return found !== undefined && formatAddress(found) === formatAddress(position) ? index + 1 : 0;
}
