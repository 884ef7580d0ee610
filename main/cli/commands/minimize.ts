import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { statuses } from '../../../engine/abi/index.ts';
import { errnos } from '../../../engine/abi/lookup/errnos.ts';
import {
  chosen,
  type MinimizeState,
  minimize,
  NotShown,
} from '../../../engine/analysis/minimize/minimize.ts';
import type { Target } from '../../../engine/analysis/minimize/target.ts';
import type { EventSource } from '../../../engine/replay/source.ts';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import { type Address, parseAddress } from '../../../engine/trace/position.ts';
import { formatEvent, textContext } from '../../../engine/trace/text/index.ts';
import { Started } from '../../../tracer/store/index.ts';
import { writeProblem } from '../../../tracer/store/problem.ts';
import type { Arguments } from '../command.ts';
import { headerLine } from '../header-line.ts';
import { printJson, tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { progressLine } from '../progress.ts';
import { record } from '../recording.ts';
import { SIDES } from '../sides.ts';
import { withTrace } from '../trace.ts';
import { outputPath } from '../trace-output.ts';

/** How often the state of the search is saved, so that a killed one can be taken up. */
const SAVE_EVERY_MS = 5_000;
const ENDING = '.hvtrace.ndjson';

/** `hvrewind minimize`: the smallest trace that still shows a finding, a status or a divergence. */
export function run(args: Arguments): Promise<number> {
  const input = args.operands[0] ?? '';
  const target = targetOf(args);
  const path = outputPath('minimize', args, ENDING, input);
  if (existsSync(path) && !args.flag('force') && !args.flag('resume'))
    throw new Problem(`minimize: ${path}: exists already; name another file or replace it with --force`);
  return withTrace(input, async ({ source }) => {
    const search = { path, source, target, from: args.flag('resume') ? savedAt(`${path}.part`) : undefined };
    const found = await searched(search);
    await write(path, source, found.events, args.flag('resume') || args.flag('force'));
    const { tried, minimal, events } = found;
    if (args.flag('json'))
      await printJson({ file: path, events: events.length, of: source.count, tried, minimal });
    else {
      const more = minimal ? '' : '; interrupted, --resume goes on';
      tell(`${path}: ${events.length} of ${source.count} events, ${tried} traces tried${more}`);
    }
    return minimal ? EXIT.fine : EXIT.found;
  });
}

function targetOf(args: Arguments): Target {
  const [finding, status, divergence] = ['finding', 'status', 'divergence'].map((name) => args.value(name));
  const given = [finding, status, divergence].filter((each) => each !== undefined);
  if (given.length !== 1)
    throw new Problem('minimize: give one of --finding ID, --status POSITION=STATUS, --divergence POSITION');
  if (finding !== undefined) return { kind: 'finding', id: finding };
  if (divergence !== undefined) return { kind: 'divergence', at: positionOf('divergence', divergence) };
  const [position = '', answer = ''] = (status ?? '').split('=', 2);
  return { kind: 'status', at: positionOf('status', position), answer: answerOf(answer) };
}

function positionOf(option: string, text: string): Address {
  const at = parseAddress(text);
  if (at !== undefined && at.seq > 0) return at;
  throw new Problem(
    `minimize: --${option} ${JSON.stringify(text)}: expected a position such as 812 or 812.3`,
  );
}

/** A status by name or number, an errno (`EINVAL`, `-22`), or `fault`. */
function answerOf(text: string): number | 'fault' {
  if (text === 'fault') return text;
  const errno = errnos.named(text.replace(/^-/, ''));
  if (errno !== undefined) return -errno.value;
  const status = statuses.named(text);
  if (status !== undefined) return status.value;
  if (/^(-?[0-9]{1,10}|0x[0-9a-fA-F]{1,8})$/.test(text)) return Number(text);
  throw new Problem(
    `minimize: --status …=${text}: expected HV_STATUS_…, an errno such as EINVAL, a number or fault`,
  );
}

type Saved = Pick<MinimizeState, 'kept' | 'tried'>;

interface Search {
  readonly path: string;
  readonly source: EventSource;
  readonly target: Target;
  readonly from: Saved | undefined;
}

/** Goes on until nothing can be left out, or until Ctrl-C: then with the best there is, and where to go on beside it. */
async function searched({ path, source, target, from }: Search) {
  let stop = false;
  const interrupted = (): void => {
    stop = true;
  };
  process.on('SIGINT', interrupted);
  const progress = progressLine('minimize');
  const part = `${path}.part`;
  let last: Saved | undefined;
  let saved = Date.now();
  try {
    const search = minimize(source, SIDES, target, from);
    for (let next = search.next(); ; next = search.next()) {
      if (next.done === true) {
        rmSync(part, { force: true });
        return { ...next.value, minimal: true };
      }
      last = next.value;
      progress.report(last.kept.length, source.count);
      const isDue = Date.now() - saved > SAVE_EVERY_MS;
      if (stop || isDue) {
        saved = Date.now();
        save(part, last);
      }
      if (stop)
        return {
          events: chosen([...source.range(1, source.count)], last.kept),
          tried: last.tried,
          minimal: false,
        };
      await new Promise<void>((done) => setImmediate(done));
    }
  } catch (error) {
    if (error instanceof NotShown)
      throw new Problem(`minimize: ${error.message}; --json of check and replay list what it has`);
    throw error;
  } finally {
    progress.done();
    process.removeListener('SIGINT', interrupted);
  }
}

function save(path: string, { kept, tried }: Saved): void {
  try {
    writeFileSync(path, JSON.stringify({ kept, tried }));
  } catch (error) {
    throw new Problem(`minimize: ${writeProblem(path, error).text}`, EXIT.environment);
  }
}

function savedAt(path: string): Saved {
  const bad = `minimize: --resume: ${path} is no saved search; leave out --resume`;
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new Problem(bad);
  }
  const { kept, tried } = (read ?? {}) as Partial<Record<string, unknown>>;
  const isList =
    Array.isArray(kept) && kept.every((seq, i) => Number.isSafeInteger(seq) && seq > (kept[i - 1] ?? 0));
  if (!isList || typeof tried !== 'number') throw new Problem(bad);
  return { kept: kept as number[], tried };
}

async function write(
  path: string,
  source: EventSource,
  events: readonly TraceEvent[],
  force: boolean,
): Promise<void> {
  const { expect: _expected, ...header } = source.header;
  const { start } = source;
  if (path.endsWith('.ndjson')) {
    const context = textContext(header.profile);
    const lines = [
      headerLine('minimize', { header, ...(start === undefined ? {} : { start }) }),
      ...events.map((event) => formatEvent(event, context)),
    ];
    try {
      writeFileSync(path, `${lines.join('\n')}\n`, { flag: force ? 'w' : 'wx' });
    } catch (error) {
      throw new Problem(`minimize: ${writeProblem(path, error).text}`);
    }
    return;
  }
  await record('minimize', path, header, { force, how: 'minimize' }, (writer) => {
    const whole = new Started(writer, start);
    for (const event of events) whole.append(event);
  });
}
