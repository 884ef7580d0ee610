import { StateExplorer } from '../../../engine/app/cells.ts';
import { EventReader } from '../../../engine/app/lists.ts';
import { StepArchive } from '../../../engine/replay/derived.ts';
import { replayWithHistory } from '../../../engine/replay/replay.ts';
import { formatAddress, parseAddress } from '../../../engine/trace/position.ts';
import type { Arguments } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { positionIn } from '../position.ts';
import { EXIT, Problem } from '../problem.ts';
import { progressLine } from '../progress.ts';
import { SIDES } from '../sides.ts';
import { withTrace } from '../trace.ts';

/** `hvrewind state`: the cells after a position, with `--who` their last writers. */
export function run(args: Arguments): Promise<number> {
  return withTrace(args.operands[0] ?? '', async (trace) => {
    const progress = progressLine('replay', trace.source.count);
    const { history } = replayWithHistory(trace.source, SIDES, { progress: progress.report });
    progress.done();
    const at = positionIn('state', history, args.value('at') ?? String(trace.source.count));
    const path = args.value('path') ?? '';
    const cells = new StateExplorer(history).cells(at, path);
    if (cells === undefined) {
      throw new Problem(
        `state: --path ${JSON.stringify(path)} is no cell path; such as cpu[0].synic or partition[*].state`,
      );
    }
    if (path !== '' && cells.length === 0) {
      throw new Problem(
        `state: nothing is called ${JSON.stringify(path)} at ${formatAddress(at)}; leave out --path to see all`,
      );
    }
    const who = args.flag('who');
    const reader = new EventReader(trace.source, new StepArchive(trace.source, SIDES, history));
    const ruleOf = (writer: string | undefined): string => {
      const address = writer === undefined ? undefined : parseAddress(writer);
      return address === undefined ? '' : (reader.ruleOf(address) ?? '');
    };
    if (args.flag('json')) {
      const shown = cells.map(({ changed: _changed, ...cell }) => cell);
      await printJson({ at: formatAddress(at), cells: shown });
    } else {
      await print(
        table(
          cells.map((cell) => {
            const decoded = Object.entries(cell.decoded)
              .filter(([, value]) => value !== '' && value !== '0' && value !== '0x0')
              .map(([name, value]) => (value === '1' ? name : `${name}=${value}`));
            const writer = cell.writer === undefined ? '' : `${cell.writer.component} @${cell.writer.at}`;
            const rule = who ? ruleOf(cell.writer?.at) : '';
            const columns = [cell.path, cell.value ?? '?', decoded.join(' ')];
            return who ? [...columns.slice(0, 2), writer, rule, decoded.join(' ')] : columns;
          }),
        ),
      );
    }
    return EXIT.fine;
  });
}
