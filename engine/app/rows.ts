import type { Divergence } from '../replay/compare.ts';
import type { Finding } from '../rules/finding.ts';
import type { TraceEvent } from '../trace/event.ts';
import { failed } from '../trace/failed.ts';
import { formatHandle } from '../trace/handle.ts';
import { type Address, formatAddress } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';
import type { EventPage, EventRow } from './api.ts';
import { laneOf } from './lanes.ts';
import type { EventList, EventReader, Listed } from './lists.ts';
import { opOf, resultOf, whoOf } from './names.ts';
import { summaryOf } from './summary.ts';

/** Rows of one answer. */
const MAX_ROWS = 10_000;

interface Page {
  readonly from: number;
  readonly count: number;
}

/** Turns events into rows of the grid; knows which positions findings and divergences speak of. */
export class RowMaker {
  readonly #profile: Profile;
  readonly #findings = new Map<string, string[]>();
  readonly #divergent: ReadonlySet<string>;

  constructor(options: {
    readonly profile: Profile;
    readonly findings: readonly Finding[];
    readonly divergences: readonly Divergence[];
  }) {
    this.#profile = options.profile;
    this.#divergent = new Set(options.divergences.map((d) => d.at.replace(/r$/, '')));
    for (const finding of options.findings) {
      const places = new Set([finding.culprit.at, finding.at, ...finding.evidence].map(formatAddress));
      for (const place of places) {
        this.#findings.set(place, [...(this.#findings.get(place) ?? []), finding.id]);
      }
    }
  }

  /** Rows `from` … of a list. */
  page(reader: EventReader, list: EventList, { from, count }: Page): EventPage {
    const listed = [...reader.each(list, from, from + Math.min(count, MAX_ROWS))];
    return {
      rows: listed.map(({ event, address, parent }, i) => this.row(event, address, parent, from + i)),
      total: list.total,
    };
  }

  /** The row of an event that is shown outside a list. */
  of({ event, address, parent }: Listed): EventRow {
    return this.row(event, address, parent, 0);
  }

  /** The row of an event at `index` of its list. */
  row(event: TraceEvent, address: Address, parent: Address | undefined, index: number): EventRow {
    const at = formatAddress(address);
    const result = resultOf(event);
    const end = event.kind === 'ioctl' || event.kind === 'hypercall' ? event.tEnd : undefined;
    const handle = event.kind === 'ioctl' || event.kind === 'fd' ? event.handle : undefined;
    const dir = event.kind === 'msr' ? (event.dir === 'read' ? 'R ' : 'W ') : '';
    return {
      index,
      at,
      ...(parent === undefined ? {} : { parent: formatAddress(parent) }),
      tNs: event.t,
      kind: event.kind,
      provenance: event.provenance,
      ...(event.component === undefined ? {} : { component: event.component }),
      who: whoOf(event),
      lane: laneOf(event).id,
      ...(handle === undefined ? {} : { handle: formatHandle(handle) }),
      op: `${dir}${opOf(event, this.#profile)}`,
      ...(result === undefined ? {} : { result }),
      failed: failed(event),
      summary: summaryOf(event, this.#profile),
      ...(end === undefined ? {} : { durationNs: end - event.t }),
      findings: this.#findings.get(at) ?? [],
      diverges: this.#divergent.has(at),
    };
  }
}
