import { check } from '../../engine/analysis/check.ts';
import type { EventSource } from '../../engine/replay/source.ts';
import { findingToJson } from '../../engine/rules/finding.ts';
import { ENGINE_VERSION } from '../../engine/version.ts';
import { FleetFiles } from '../../tracer/share/parquet/fleet.ts';
import { eventRows } from '../../tracer/share/parquet/tables.ts';
import { writeProblem } from '../../tracer/store/problem.ts';
import { findTraces } from '../batch/find.ts';
import { withEvents } from '../batch/judge-file.ts';
import { failedOn } from '../batch/judge-one.ts';
import type { Arguments } from './command.ts';
import { tell } from './output.ts';
import { EXIT, Problem } from './problem.ts';
import { progressLine } from './progress.ts';
import { SIDES } from './sides.ts';
import { defaultName } from './trace-output.ts';
import { VERSION } from './version.ts';

/**
 * `hvrewind export --format parquet`: the events of traces and what `check` finds in them, as three tables in a folder. Exit 2 when a
 * file could not be read; the tables then hold the others.
 */
export async function exportParquet(args: Arguments): Promise<number> {
  const files = findTraces(args.operands);
  const folder = args.value('output') ?? defaultName('export', '');
  const there = args.flag('force') ? undefined : FleetFiles.existing(folder);
  if (there !== undefined) {
    throw new Problem(`export: ${there}: exists already; name another folder or replace it with --force`);
  }
  const fleet = writing(folder, () => new FleetFiles(folder, `hvrewind version ${VERSION}`));
  const progress = progressLine('export', files.length);
  let unread = 0;
  try {
    for (const [i, file] of files.entries()) {
      const problem = await addFile(fleet, folder, file);
      progress.report(i + 1);
      if (problem === undefined) continue;
      unread++;
      progress.done();
      tell(`hvrewind: ${problem}`);
    }
    writing(folder, () => fleet.finish());
  } catch (error) {
    fleet.drop();
    throw error;
  }
  progress.done();
  tell(`${folder}: ${files.length - unread} traces`);
  return unread > 0 ? EXIT.usage : EXIT.fine;
}

/** Adds one trace; what is wrong with it is returned as a line, and nothing of it was added: it is judged before it is written. */
async function addFile(fleet: FleetFiles, folder: string, file: string): Promise<string | undefined> {
  try {
    await withEvents(file, async (source) => addTrace(fleet, file, source));
    return undefined;
  } catch (error) {
    // The tables cannot be written: no fault of this trace, and no other would fare better.
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw problemOf(folder, error);
    return error instanceof Problem ? error.message : failedOn(file, error);
  }
}

function addTrace(fleet: FleetFiles, file: string, source: EventSource): void {
  const { report, findings: found } = check(source, SIDES);
  const findings = found.map(findingToJson);
  const rowOf = eventRows(file, source.header);
  for (const event of source.range(1, source.count)) fleet.events.add(rowOf(event));
  for (const finding of findings) fleet.findings.add({ file, finding });
  fleet.traces.add({
    file,
    header: source.header,
    events: source.count,
    diverged: report.diverged,
    hash: report.hash,
    engine: ENGINE_VERSION,
    findings,
  });
}

/** Runs a file operation; what the system refuses is a Problem. */
function writing<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw problemOf(folder, error);
  }
}

function problemOf(folder: string, error: unknown): Problem {
  return new Problem(`export: ${writeProblem(folder, error).text}`);
}
