import type { History } from '../replay/history.ts';
import type { EventSource } from '../replay/source.ts';
import type { TraceEvent } from '../trace/event.ts';
import { type Address, at, formatAddress, RETURN_SUB } from '../trace/position.ts';
import { textContext } from '../trace/text/context.ts';
import { formatEvent } from '../trace/text/event-line.ts';
import type { AnswerView, EventDetail, WriteView } from './api.ts';
import { buffersOf } from './buffers.ts';
import type { StateExplorer } from './cells.ts';
import type { EventReader, Listed } from './lists.ts';
import { resultOf } from './names.ts';
import type { RowMaker } from './rows.ts';
import { NotThere, type SessionParts } from './session-parts.ts';

interface Ground {
  readonly source: EventSource;
  readonly reader: EventReader;
  readonly rows: RowMaker;
  /** Undefined while the trace is being replayed. */
  readonly replayed?: Replayed;
}

/** What a replay adds. */
interface Replayed {
  readonly report: SessionParts['report'];
  readonly history: History;
  readonly state: StateExplorer;
}

/** Children that are listed below an event; a longer list is in the grid. */
const MAX_CHILDREN = 500;

/** Everything about one event: fields beside bytes, answers, what caused it and what it caused, what it wrote. */
export function eventDetail(address: Address, ground: Ground): EventDetail {
  const { reader, rows, source, replayed } = ground;
  const profile = source.header.profile;
  const listed = reader.get(address);
  if (listed === undefined) throw new NotThere(`there is no event at ${formatAddress(address)}`);
  const parent = listed.parent === undefined ? undefined : reader.get(listed.parent);
  const rule = reader.ruleOf(address);
  return {
    row: rows.of(listed),
    text: formatEvent(listed.event, textContext(profile), { position: address }),
    buffers: buffersOf(listed.event, profile),
    replayed: replayed !== undefined,
    answers: replayed === undefined ? [] : answers(listed, replayed, rule),
    ...(rule === undefined ? {} : { rule }),
    ...(parent === undefined ? {} : { parent: rows.of(parent) }),
    children: children(address, ground).map((child) => rows.of(child)),
    writes: replayed === undefined ? [] : writes(address, replayed),
  };
}

/** The answer of the event: whether it was compared, and with what. */
function answers(listed: Listed, replayed: Replayed, rule: string | undefined): AnswerView[] {
  const at = formatAddress(listed.address);
  const diverging = replayed.report.divergences.filter((d) => d.at === at || d.at === `${at}r`);
  const views: AnswerView[] = diverging.map((d) => ({
    field: d.field,
    recorded: d.actual,
    predicted: d.expected,
    verdict: 'diverges',
  }));
  const { field, result } = answerOf(listed.event);
  if (result === undefined || diverging.length > 0) return views;
  const recorded = listed.address.sub === 0 && listed.event.provenance !== 'authored';
  const verdict = rule === 'unmodelled' ? 'unmodelled' : recorded ? 'checked' : 'not recorded';
  return [...views, { field, ...(recorded ? { recorded: result } : {}), predicted: result, verdict }];
}

/** What the hypervisor or kernel said. A write is answered by whether it was refused; the value is the question. */
function answerOf(event: TraceEvent): { readonly field: string; readonly result: string | undefined } {
  if (event.kind !== 'msr' || event.dir === 'read') return { field: 'result', result: resultOf(event) };
  const { fault } = event;
  return { field: 'fault', result: fault === undefined ? undefined : fault ? '#GP' : 'none' };
}

function children(address: Address, { reader, replayed, source }: Ground): Listed[] {
  const found: Listed[] = [];
  const derived = replayed?.history.derivedBelow(address.seq) ?? 0;
  const own = formatAddress(address);
  const isChild = (listed: Listed): boolean =>
    listed.parent !== undefined && formatAddress(listed.parent) === own;
  for (let sub = address.sub + 1; sub <= derived; sub++) {
    const listed = reader.get(at(address.seq, sub));
    if (listed !== undefined && isChild(listed)) found.push(listed);
  }
  if (address.sub !== 0) return found;
  // Recorded children follow their parent; the first stimulus after them that has begun later ends the search.
  let strangers = 0;
  for (const event of source.range(address.seq + 1, source.count)) {
    if (event.parent === address.seq) found.push({ address: at(event.seq), parent: address, event });
    else if (event.parent === undefined || event.parent < address.seq) strangers++;
    if (strangers > MAX_CHILDREN || found.length >= MAX_CHILDREN) break;
  }
  return found;
}

/** Journal entries of the event itself and of its return. */
function writes(address: Address, { history, state }: Replayed): WriteView[] {
  const views: WriteView[] = [];
  const collect = (where: Address): void => {
    if (!history.has(where)) return;
    for (let entry = history.offset(where) - 1; entry >= 0; entry--) {
      const write = history.write(entry);
      if (write.at.seq !== where.seq || write.at.sub !== where.sub) break;
      views.push(state.writeView(entry));
    }
  };
  if (address.sub === 0) collect(at(address.seq, RETURN_SUB));
  collect(address);
  return views.reverse();
}
