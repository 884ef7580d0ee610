import { type Diff, diff } from '../../../engine/analysis/diff/diff.ts';
import type { Arguments } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { EXIT } from '../problem.ts';
import { progressLine } from '../progress.ts';
import { SIDES } from '../sides.ts';
import { withTrace } from '../trace.ts';

/** Cells of the state difference that are printed; `--json` has all. */
const SHOWN_CELLS = 50;

/** `hvrewind diff`: exit 1 where the traces differ in meaning. */
export function run(args: Arguments): Promise<number> {
  const [pathA = '', pathB = ''] = args.operands;
  return withTrace(pathA, (a) =>
    withTrace(pathB, async (b) => {
      const progress = progressLine('diff', 100);
      const found = diff(a.source, b.source, SIDES, (percent) => progress.report(percent));
      progress.done();
      await (args.flag('json') ? printJson(jsonOf(found)) : print(textOf(found)));
      return found.equal ? EXIT.fine : EXIT.found;
    }),
  );
}

function jsonOf({ first, ...rest }: Diff) {
  const position = (seq: number | undefined): string | null => (seq === undefined ? null : String(seq));
  const shown = first && { ...first, a: position(first.a), b: position(first.b) };
  const { equal, ...counts } = rest;
  return { equal, first: shown ?? null, ...counts };
}

function textOf({ first, state, aligned, onlyA, onlyB }: Diff): string {
  const counts = `${aligned} events are in both traces, ${onlyA} only in A, ${onlyB} only in B\n`;
  if (first === undefined) return `the traces are equal\n${counts}`;
  const at = (seq: number | undefined): string => (seq === undefined ? 'nothing' : `event ${seq}`);
  const place = first.reason === 'profile' ? '' : `: A ${at(first.a)}, B ${at(first.b)}`;
  const fields = first.fields.map(({ field, a, b }) => [field, `A ${a}`, `B ${b}`]);
  const cells = state.slice(0, SHOWN_CELLS).map(({ path, a, b }) => [path, `A ${a ?? '?'}`, `B ${b ?? '?'}`]);
  const more =
    state.length > cells.length ? `  and ${state.length - cells.length} more cells (--json)\n` : '';
  const states = first.reason === 'profile' ? '' : `state there: ${state.length === 0 ? 'the same' : ''}\n`;
  return `first difference (${first.reason})${place}\n${table(fields, '  ')}${states}${table(cells, '  ')}${more}${counts}`;
}
