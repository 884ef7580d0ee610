import { checkWithHistory } from '../../../engine/analysis/check.ts';
import { StateExplorer } from '../../../engine/app/cells.ts';
import { bindFilter, readEventFilter } from '../../../engine/app/filtering.ts';
import { allEvents, EventReader, type Listed } from '../../../engine/app/lists.ts';
import { RowMaker } from '../../../engine/app/rows.ts';
import { formatFilterError } from '../../../engine/filter/error.ts';
import { StepArchive } from '../../../engine/replay/derived.ts';
import type { EventSource } from '../../../engine/replay/source.ts';
import { type Address, at } from '../../../engine/trace/position.ts';
import { formatEvent, textContext } from '../../../engine/trace/text/index.ts';
import { formatTime } from '../../../engine/trace/time.ts';
import type { Arguments } from '../command.ts';
import { print } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { SIDES } from '../sides.ts';
import { withTrace } from '../trace.ts';

/** `hvrewind show`: events, one a line; with `--json` event text with positions. */
export async function run(args: Arguments): Promise<number> {
  const limit = limitOf(args.value('limit'));
  return withTrace(args.operands[0] ?? '', async ({ source }) => {
    const plain = args.flag('json') ? jsonLine(source) : textLine(source);
    const line = args.flag('why') ? withRule(plain, args.flag('json')) : plain;
    let shown = 0;
    const asked = { derived: args.flag('derived'), why: args.flag('why') };
    for (const listed of matchingEvents(source, args.operands[1] ?? '', asked)) {
      if (shown++ === limit) break;
      await print(`${line(listed)}\n`);
    }
    return EXIT.fine;
  });
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new Problem(`show: --limit ${JSON.stringify(text)}: expected a number`);
}

/** An event, and the rule behind its answer where that was asked for and the engine gave one. */
type Shown = Listed & { readonly rule?: string };

/** The line of an event with its rule; as JSON the two stand beside each other, for an event text has no rules. */
function withRule(line: (listed: Listed) => string, json: boolean): (shown: Shown) => string {
  if (json) return (shown) => `{"rule":${JSON.stringify(shown.rule ?? null)},"event":${line(shown)}}`;
  return (shown) => (shown.rule === undefined ? line(shown) : `${line(shown)}  [${shown.rule}]`);
}

/** The events that match; the trace is replayed only when derived events or a replay's results are asked for. */
function* matchingEvents(
  source: EventSource,
  text: string,
  { derived, why }: { readonly derived: boolean; readonly why: boolean },
): Iterable<Shown> {
  const { profile } = source.header;
  const filter = text.trim() === '' ? undefined : readEventFilter(text, profile);
  if (filter !== undefined && 'problem' in filter)
    throw new Problem(`show: ${formatFilterError(filter.problem)}`);
  if (!derived && !why && filter?.needsReplay !== true) {
    const parentOf = (address: Address): Address | undefined => {
      for (const event of source.range(address.seq, address.seq)) {
        return event.parent === undefined ? undefined : at(event.parent);
      }
      return undefined;
    };
    const holds = filter === undefined ? () => true : bindFilter(filter, { profile, parentOf });
    for (const event of source.range(1, source.count)) {
      const parent = event.parent === undefined ? undefined : at(event.parent);
      const listed = { address: at(event.seq), parent, event };
      if (holds(listed)) yield listed;
    }
    return;
  }
  const { history, findings } = checkWithHistory(source, SIDES);
  const reader = new EventReader(source, new StepArchive(source, SIDES, history));
  const parentOf = (address: Address): Address | undefined => reader.get(address)?.parent;
  const state = new StateExplorer(history);
  const holds =
    filter === undefined ? () => true : bindFilter(filter, { profile, parentOf, state, findings });
  const list = allEvents(history, derived);
  for (const listed of reader.each(list, 0, list.total)) {
    if (!holds(listed)) continue;
    const rule = why ? reader.ruleOf(listed.address) : undefined;
    yield rule === undefined ? listed : { ...listed, rule };
  }
}

/** Event text with positions. */
function jsonLine(source: EventSource): (listed: Listed) => string {
  const context = textContext(source.header.profile);
  return ({ event, address, parent }) =>
    formatEvent(event, context, { position: address, ...(parent === undefined ? {} : { parent }) });
}

function textLine(source: EventSource): (listed: Listed) => string {
  const rows = new RowMaker({ profile: source.header.profile, findings: [], divergences: [] });
  const width = String(source.count).length + 1;
  return ({ event, address, parent }) => {
    const row = rows.row(event, address, parent, 0);
    const who = [row.component, row.who, row.handle]
      .filter((word) => word !== undefined && word !== '')
      .join(' ');
    const result = row.result === undefined || row.kind === 'msr' ? '' : ` = ${row.result}`;
    const value = row.kind === 'msr' && row.result !== undefined ? ` ${row.result}` : '';
    return [
      row.at.padStart(width),
      formatTime(event.t).padStart(9),
      event.kind.padEnd(9),
      who.padEnd(14),
      `${parent === undefined ? '' : '  '}${row.op}${value}${row.summary === '' ? '' : ` ${row.summary}`}${result}`,
    ].join('  ');
  };
}
