import type { BlameLinkView, BlameView } from '../../../engine/app/api-analysis.ts';
import { Blamer } from '../../../engine/app/blame.ts';
import { StateExplorer } from '../../../engine/app/cells.ts';
import { EventReader } from '../../../engine/app/lists.ts';
import { RowMaker } from '../../../engine/app/rows.ts';
import { NotThere } from '../../../engine/app/session-parts.ts';
import { StepArchive } from '../../../engine/replay/derived.ts';
import { replayWithHistory } from '../../../engine/replay/replay.ts';
import type { Arguments } from '../command.ts';
import { print, printJson } from '../output.ts';
import { positionIn } from '../position.ts';
import { EXIT, Problem } from '../problem.ts';
import { progressLine } from '../progress.ts';
import { SIDES } from '../sides.ts';
import { withTrace } from '../trace.ts';

/** `hvrewind blame`: the events that led to a cell's value or to an answer. */
export function run(args: Arguments): Promise<number> {
  const of = args.operands[1] ?? '';
  return withTrace(args.operands[0] ?? '', async ({ source }) => {
    const progress = progressLine('replay', source.count);
    const { history, report } = replayWithHistory(source, SIDES, { progress: progress.report });
    progress.done();
    const at = positionIn('blame', history, args.value('at') ?? String(source.count));
    const { profile } = source.header;
    const blamer = new Blamer({
      source,
      sides: SIDES,
      state: new StateExplorer(history),
      reader: new EventReader(source, new StepArchive(source, SIDES, history)),
      rows: new RowMaker({ profile, findings: [], divergences: report.divergences }),
    });
    try {
      const blame = blamer.blame(of, at);
      await (args.flag('json') ? printJson(json(blame)) : print(text(blame)));
    } catch (error) {
      if (error instanceof NotThere) throw new Problem(`blame: ${error.message}`);
      throw error;
    }
    return EXIT.fine;
  });
}

/** The rows of the app are left out: `show` prints events. */
function json({ of, at, links, cut }: BlameView): object {
  return { of, at, links: links.map(({ row: _row, ...link }) => link), cut };
}

function text({ of, at, links, cut }: BlameView): string {
  const lines = links.map((link) => `${'  '.repeat(link.depth + 1)}${linkText(link)}\n`);
  return `${of} at ${at}\n${lines.join('')}${cut ? '  … and what led to the last of these\n' : ''}`;
}

function linkText({ why, at, component, rule, cell, row }: BlameLinkView): string {
  const wrote = cell === undefined ? '' : `${cell.path} ${cell.old ?? '?'} → ${cell.now}`;
  if (why === 'held') return `since before the first event: ${cell?.path} = ${cell?.now}`;
  const result = row?.result === undefined || row.kind === 'msr' ? '' : ` = ${row.result}`;
  const value = row?.kind === 'msr' && row.result !== undefined ? ` ${row.result}` : '';
  const event = row === undefined ? '' : `${row.op}${value}${result}`;
  const words = {
    wrote: 'wrote',
    answered: 'answered',
    caused: 'below',
    failed: 'because of',
    decided: 'saw',
  }[why];
  const parts = [words, at, component ?? '', event, wrote, rule === undefined ? '' : `[${rule}]`];
  return parts.filter((part) => part !== '').join('  ');
}
