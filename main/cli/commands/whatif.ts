import { type Edit, parseEdit } from '../../../engine/analysis/what-if/edit.ts';
import { type Original, originalOf } from '../../../engine/analysis/what-if/original.ts';
import { suggest } from '../../../engine/analysis/what-if/suggest.ts';
import { type WhatIf, whatIf } from '../../../engine/analysis/what-if/what-if.ts';
import { atLeast, type FindingJson } from '../../../engine/rules/finding.ts';
import type { Arguments } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { progressLine } from '../progress.ts';
import { SIDES } from '../sides.ts';
import { withTrace } from '../trace.ts';

/** Answers and cells that are printed; `--json` has all. */
const SHOWN = 20;

/** `hvrewind whatif`: replays a trace with edits; exit 1 when what comes of it still has a finding, or nothing can be suggested. */
export function run(args: Arguments): Promise<number> {
  const edits = args.values('edit').map(edit);
  const wanted = args.value('suggest');
  if (edits.length === 0 && wanted === undefined) {
    throw new Problem("whatif: nothing to change; give --edit 'drop 74' or --suggest FINDING");
  }
  if (edits.length > 0 && wanted !== undefined) {
    throw new Problem('whatif: --suggest searches for edits by itself; leave out --edit');
  }
  return withTrace(args.operands[0] ?? '', async ({ source }) => {
    const progress = progressLine('replay', source.count);
    const original = originalOf(source, SIDES, progress.report);
    progress.done();
    const made = wanted === undefined ? edits : suggestion(original, wanted);
    if (made === undefined) {
      const nothing = `no edit was found that removes ${wanted} and adds nothing; try --edit`;
      await (args.flag('json') ? printJson({ edits: [], problem: nothing }) : print(`${nothing}\n`));
      return EXIT.found;
    }
    const result = whatIf(original, made);
    if ('problem' in result) throw new Problem(`whatif: ${result.problem}`);
    const isBad = result.findings.after.some(({ severity }) => atLeast(severity, 'warning'));
    await (args.flag('json') ? printJson(result) : print(text(result, wanted !== undefined)));
    return isBad ? EXIT.found : EXIT.fine;
  });
}

function edit(text: string): Edit {
  const read = parseEdit(text);
  if ('problem' in read) throw new Problem(`whatif: ${read.problem}`);
  return read.edit;
}

/** `id` as `check --json` prints it, or the name of a rule that has one finding. */
function suggestion(original: Original, id: string): readonly Edit[] | undefined {
  const { findings } = original;
  const found = findings.filter((finding) => finding.id === id || finding.rule === id);
  const [finding] = found;
  if (finding === undefined) {
    const known =
      findings.length === 0 ? 'it has none' : `it has ${findings.map((each) => each.id).join(' ')}`;
    throw new Problem(`whatif: the trace has no finding ${JSON.stringify(id)}; ${known}`);
  }
  if (found.length > 1) {
    throw new Problem(
      `whatif: ${id} has ${found.length} findings; name one: ${found.map((each) => each.id).join(' ')}`,
    );
  }
  const progress = progressLine('suggest');
  const edits = suggest(original, finding, (done, of) => progress.report(done, of));
  progress.done();
  return edits;
}

function text({ edits, findings, answers, state }: WhatIf, suggested: boolean): string {
  const head = edits.map((each) => (suggested ? `--edit ${quoted(each)}\n` : `${each}\n`)).join('');
  const list = (sign: string, all: readonly FindingJson[]): string[][] =>
    all.map(({ id, culprit, title }) => [`${sign} ${id}`, `${culprit.component} at ${culprit.at}`, title]);
  const kept = findings.after.filter((finding) => !findings.added.includes(finding));
  const rows = [...list('-', findings.removed), ...list('+', findings.added), ...list('=', kept)];
  const judged = rows.length === 0 ? 'findings: none, as before\n' : `findings\n${table(rows, '  ')}`;
  const told = part(
    'answers that are other ones now',
    answers.map(({ at, before, after }) => [at, before ?? 'none', '→', after ?? 'does not happen']),
  );
  const ends = part(
    'cells that end with another value',
    state.map(({ path, before, after }) => [path, before ?? 'none', '→', after ?? 'none']),
  );
  return head + judged + told + ends;
}

function part(title: string, rows: readonly string[][]): string {
  if (rows.length === 0) return `${title}: none\n`;
  const rest = rows.length > SHOWN ? `  and ${rows.length - SHOWN} more (--json)\n` : '';
  return `${title}: ${rows.length}\n${table(rows.slice(0, SHOWN), '  ')}${rest}`;
}

/** As a shell takes it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
