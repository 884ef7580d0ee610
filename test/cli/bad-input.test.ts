/**
 * Mistakes that a user can make: each is one line on stderr that says what, where and what to do, exit code 2, and
 * nothing is written.
 */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { isRoot, NOBODY, shutToNobody } from '../ordinary-user.testing.ts';
import type { Output } from '../output.testing.ts';
import { exits, hvrewind, listing, sample } from './hvrewind.testing.ts';
import { atPrompt } from './prompt.testing.ts';

const folder = scratch();
const at = (name: string): string => join(folder, name);
const HEADER = '{"profile":{"cpus":2}}';
const EVENT =
  '{"t":"1us","kind":"msr","dir":"write","cpu":0,"component":"vmbus","msr":"HV_X64_MSR_SIMP","value":"0x1"}';
/** Sizes at which a trace of some 70 KiB is cut: in its header, at and inside pages, one byte short. */
const CUTS = [1, 15, 50, 99, 100, 512, 4096, 10_000, 40_000];
/** Offset of `user_version` in the header of an SQLite file (file format, section 1.3). */
const USER_VERSION = 60;

before(async () => {
  mkdirSync(at('folder'));
  mkdirSync(at('shut'));
  writeFileSync(at('empty.hvtrace'), '');
  writeFileSync(at('text.hvtrace'), 'hello, this is not a trace\n');
  writeFileSync(
    at('noise.hvtrace'),
    Uint8Array.from({ length: 9000 }, (_, i) => (i * i * 31 + i * 7) & 0xff),
  );
  const foreign = new Database(at('foreign.hvtrace'));
  foreign.exec('CREATE TABLE cookies (name TEXT, value TEXT)');
  foreign.close();
  await exits(0, ['run', sample('teardown-l1vh-kexec-before'), '-o', at('good.hvtrace')]);
  await exits(0, ['pack', at('good.hvtrace'), '-o', at('good.hvtrace.zst')]);
  const good = readFileSync(at('good.hvtrace'));
  for (const size of [...CUTS, good.length - 1])
    writeFileSync(at(`cut-${size}.hvtrace`), good.subarray(0, size));
  writeFileSync(at('cut-last.hvtrace'), good.subarray(0, -1));
  const newer = Buffer.from(good);
  newer.writeUInt32BE(99, USER_VERSION);
  writeFileSync(at('newer.hvtrace'), newer);
  const torn = Buffer.from(good).fill(0xa5, 4096, 4096 * 3);
  writeFileSync(at('torn.hvtrace'), torn);
  for (const cut of [3, 10, 200]) {
    writeFileSync(at(`cut-${cut}.hvtrace.zst`), readFileSync(at('good.hvtrace.zst')));
    truncateSync(at(`cut-${cut}.hvtrace.zst`), cut);
  }
  writeFileSync(at('good.ndjson'), `${HEADER}\n${EVENT}\n`);
  writeFileSync(at('profile.json'), '{"kernel":"minix"}');
  writeFileSync(at('list.json'), '[1, 2]');
  writeFileSync(at('broken.json'), '{"kernel"');
});

interface Mistake {
  /** The command line; names of files stand for those of the folder. */
  readonly words: readonly string[];
  /** What the line must say. */
  readonly says: RegExp;
  /** What may stand before it on standard output, where there is something to show. */
  readonly shows?: RegExp;
}

/** Runs a command line that is wrong and holds it to the promise. */
async function refused(
  { words, says, shows = /^$/ }: Mistake,
  run: (words: readonly string[]) => Promise<Output> = (words) => atPrompt(words, folder),
): Promise<void> {
  const listed = listing(folder);
  const { exit, out, err } = await run(words);
  const told = `hvrewind ${words.join(' ')}: ${err || out}`;
  assert.match(err, /^hvrewind: [^\n]+\n$/, told);
  assert.doesNotMatch(err, /Error:|\bat .*\.(ts|js):|node:internal/, told);
  assert.match(err, says, told);
  assert.equal(exit, 2, told);
  assert.match(out, shows, told);
  assert.deepEqual(listing(folder), listed, `${told}: something was written`);
}

function table(name: string, mistakes: readonly Mistake[]): void {
  describe(name, () => {
    for (const [i, mistake] of mistakes.entries()) {
      const title = `hvrewind ${mistake.words.join(' ')}`.slice(0, 150);
      test(title, () => refused(mistake));
      if (i === 0) test(`${title}, as a program`, () => refused(mistake, (words) => hvrewind(words, folder)));
    }
  });
}

const mistakes = (rows: readonly (readonly [words: string, says: RegExp])[]): Mistake[] =>
  rows.map(([words, says]) => ({ words: words.split(' '), says }));

table('a file that is no trace', [
  ...mistakes([
    ['replay none.hvtrace', /none\.hvtrace: no such file; check/],
    ['replay folder', /folder: is a folder; name/],
    ['replay empty.hvtrace', /empty\.hvtrace: is empty; /],
    ['replay text.hvtrace', /text\.hvtrace: is text, not a trace; import it first/],
    ['replay good.ndjson', /import it first: hvrewind import good\.ndjson -o/],
    ['replay noise.hvtrace', /noise\.hvtrace: is not a trace; name a /],
    ['replay foreign.hvtrace', /foreign\.hvtrace: is an SQLite database of another program/],
    ['replay newer.hvtrace', /newer\.hvtrace: has format version 99, .*; update hvrewind/],
    ['replay torn.hvtrace', /torn\.hvtrace: .*hvrewind recover /],
    ['replay text.hvtrace/x', /text\.hvtrace\/x: no such file/],
    ['replay cut-3.hvtrace.zst', /cut-3\.hvtrace\.zst: is .*not a trace/],
    ['replay cut-10.hvtrace.zst', /cut-10\.hvtrace\.zst: /],
    ['replay cut-200.hvtrace.zst', /cut-200\.hvtrace\.zst: /],
  ]),
  {
    words: ['check', 'none.hvtrace', 'good.hvtrace'],
    says: /none\.hvtrace: no such file/,
    shows:
      /^good\.hvtrace\nR01 error (?:.*\n)*.*\nnone\.hvtrace .*not judged\ngood\.hvtrace +118 (?:.*\n)*.*, 1 not judged\n$/,
  },
  ...['show', 'state', 'check', 'export', 'pack', 'unpack', 'serve', 'recover'].flatMap((command) =>
    mistakes([
      [`${command} none.hvtrace`, /none\.hvtrace: no such file; check the name/],
      [`${command} text.hvtrace`, /text\.hvtrace: /],
    ]),
  ),
]);

table('a trace that was cut', [
  ...[1, 15].map((size) => ({
    words: ['replay', `cut-${size}.hvtrace`],
    says: /is (text, |an SQLite database of another program, )?not a trace|is empty; its recording was cut/,
  })),
  ...CUTS.slice(2).map((size) => ({
    words: ['replay', `cut-${size}.hvtrace`],
    says: /is cut off, [0-9]+ of [0-9]+ bytes are there; hvrewind recover /,
  })),
  {
    words: ['show', 'cut-last.hvtrace'],
    says: /event [0-9]+ is damaged: .*; hvrewind recover cut-last\.hvtrace -o FILE/,
    shows: /^ +1 .*component-start.*(\n +\d+ .*)*\n$/,
  },
  ...mistakes([
    [
      'recover empty.hvtrace -o r.hvtrace',
      /empty\.hvtrace: is empty; its recording was cut before it began, record again/,
    ],
    ['recover noise.hvtrace -o r.hvtrace', /noise\.hvtrace: .*nothing to recover/],
    ['recover cut-99.hvtrace -o r.hvtrace', /cut-99\.hvtrace: .*nothing to recover/],
    ['recover folder -o r.hvtrace', /folder: is a folder; name a \.hvtrace file/],
  ]),
]);

/** Event text with something wrong in it, and what is said of it. */
const TEXTS: readonly (readonly [text: string, says: RegExp])[] = [
  ['', /:1:1: is empty: expected \{"profile"/],
  ['hello', /:1:1: expected a JSON value, found "h"/],
  ['[]', /:1:1: .*expected/],
  ['{}', /:1:1: expected .*"profile"/],
  ['{"profile":{"kernel":"minix"}}', /:1:\d+: .*kernel.*expected upstream-7\.2/],
  ['{"profile":{"kernal":"upstream-7.2"}}', /:1:\d+: .*unknown key "kernal".*kernel/],
  ['{"profile":{"cpus":0}}', /:1:\d+: .*cpus: expected/],
  ['{"profile":{}} x', /:1:16: /],
  [`${HEADER}\n${EVENT.replace('"value"', '"valve"')}`, /:2:\d+: unknown key "valve".*value/],
  [
    `${HEADER}\n${EVENT.replace('"0x1"', '"0xg"')}`,
    /:2:\d+: value: expected a whole number below 2\^64, found "0xg"/,
  ],
  [`${HEADER}\n${EVENT.replace('SIMP', 'SIMPLE')}`, /:2:\d+: msr: expected an MSR/],
  [`${HEADER}\n${EVENT.replace('"msr","dir"', '"mrs","dir"')}`, /:2:\d+: kind: expected ioctl/],
  [
    `${HEADER}\n${EVENT}\n${EVENT.replace('1us', '999ns')}`,
    /:3:6: t: expected a time from "1us" on, .*found "999ns"/,
  ],
  [`${HEADER}\n${EVENT.replace('"kind"', '"seq":2,"kind"')}`, /:2:\d+: seq: expected 1, which is this event/],
  [
    `${HEADER}\n${EVENT.replace('"kind"', '"parent":1,"kind"')}`,
    /:2:\d+: parent: expected the number of an event on an earlier line/,
  ],
  [`${HEADER}\n${EVENT}\n{"t":"2us","kind":`, /:3:\d+: expected a JSON value, found the end/],
  [`${HEADER}\n${EVENT}\n\n${EVENT}`, /:3:1: expected a JSON value/],
];

describe('event text with something wrong in it', () => {
  for (const [index, [text, says]] of TEXTS.entries()) {
    const name = `wrong-${index}.ndjson`;
    before(() => writeFileSync(at(name), text === '' ? '' : `${text}\n`));
    // Both commands read it by the same importer: one of them is enough for each line.
    const command = index % 2 === 0 ? 'import' : 'run';
    test(`${command}: ${text.split('\n').at(-1)}`.slice(0, 150), () =>
      refused({ words: [command, name, '-o', 'new.hvtrace'], says: new RegExp(`${name}${says.source}`) }),
    );
  }

  test('an error at the end of a long text leaves no file', async () => {
    const long = `${HEADER}\n${`${EVENT}\n`.repeat(30_000)}{}\n`;
    writeFileSync(at('long.ndjson'), long);
    const says = /long\.ndjson:30002:1: expected the key "kind"/;
    await refused({ words: ['import', 'long.ndjson', '-o', 'new.hvtrace'], says });
  });
});

table('a command line', [
  ...mistakes([
    ['chekc good.hvtrace', /unknown command "chekc"; did you mean check\?/],
    ['frobnicate', /unknown command "frobnicate"; hvrewind --help lists them/],
    ['--jsno', /unknown command "--jsno"; hvrewind --help/],
    ['check --jsno good.hvtrace', /check: unknown option --jsno; did you mean --json\?/],
    ['check --colour good.hvtrace', /check: unknown option --colour; hvrewind check --help lists them/],
    ['check -x good.hvtrace', /check: unknown option -x; /],
    ['check', /check: too few operands; usage: hvrewind check FILE/],
    ['replay good.hvtrace good.hvtrace', /replay: unexpected "good\.hvtrace"; usage: /],
    ['replay good.hvtrace -- ls', /replay: takes no program after --; usage: /],
    ['replay good.hvtrace --verify=yes', /replay: --verify takes no value/],
    ['state good.hvtrace --at', /state: --at needs a value: POSITION/],
    ['state good.hvtrace --at 1 --at 2', /state: --at given twice/],
    ['check good.hvtrace --min-severity bad', /check: --min-severity "bad": expected error, warning, info/],
    ['check good.hvtrace --jobs 0', /check: --jobs "0": expected a number from 1/],
    ['check good.hvtrace --format xml', /check: --format "xml": expected text, json, sarif, junit/],
    ['check good.hvtrace --json --format sarif', /check: --json is --format json; give one/],
    ['check good.hvtrace --write-baseline', /check: --write-baseline: name the file with --baseline FILE/],
    [
      'check good.hvtrace --baseline b --write-baseline --json',
      /check: --write-baseline prints no findings; /,
    ],
    [
      'check good.hvtrace --baseline none.json --expect',
      /check: --expect goes with text and JSON and no base/,
    ],
    [
      'check good.hvtrace --baseline none.json',
      /--baseline none\.json: cannot be read \(ENOENT\); write one/,
    ],
    ['check good.hvtrace --baseline broken.json', /--baseline broken\.json: is not JSON \(/],
    ['check good.hvtrace --baseline list.json', /--baseline list\.json: is no baseline of this version; /],
    ['check shut', /shut: holds no trace \(\.hvtrace, .*\); name another/],
    ['export good.hvtrace --format pcap', /export: --format "pcap": expected events, parquet/],
    [
      'export good.hvtrace good.hvtrace',
      /export: unexpected "good\.hvtrace"; only --format parquet takes several/,
    ],
    ['export good.hvtrace --format parquet --derived', /export: --derived goes with --format events; leave/],
    ['export good.hvtrace --format parquet -o text.hvtrace', /export: text\.hvtrace: .*exist/],
    ['show good.hvtrace --limit many', /show: --limit "many": expected a number/],
    ['replay good.hvtrace --to 119', /replay: --to "119": expected an event number from 1 to 118/],
    ['replay good.hvtrace --to 3 --verify', /replay: --verify replays the whole trace; leave out --to/],
    ['serve good.hvtrace --port 99999', /serve: --port "99999": expected a number from 0 to 65535/],
    ['explain HV_STATUS_NONSENSE', /explain: nothing is called "HV_STATUS_NONSENSE"; give /],
    ['state good.hvtrace --at 12r', /state: event 12 has no position 12r/],
    ['state good.hvtrace --at 12.1', /state: event 12 has no position 12\.1; 0 events are derived below it/],
    ['state good.hvtrace --at 119', /state: position 119 is beyond the last event, 118/],
    ['state good.hvtrace --at twelve', /state: "twelve" is not a position; such as 812/],
    ['state good.hvtrace --at 012', /state: "012" is not a position/],
    ['state good.hvtrace --at -1', /state: "-1" is not a position/],
    [
      'blame good.hvtrace 93',
      /blame: "93" is no cell path and no answer; such as cpu\[0\]\.synic\.scontrol, 93\.fault/,
    ],
    ['whatif good.hvtrace', /whatif: nothing to change; give --edit/],
    ['whatif good.hvtrace --edit drop', /whatif: edit "drop": expected drop P, move P/],
    [
      'whatif good.hvtrace --suggest R77',
      /whatif: the trace has no finding "R77"; it has R01:mshv:off:vmbus/,
    ],
    ['blame good.hvtrace 93.ret', /blame: the msr at 93 has no answer "ret"; it has fault, value/],
    ['blame good.hvtrace cpu[0].synic', /blame: "cpu\[0\]\.synic" names several cells; ask for one/],
    [
      'blame good.hvtrace cpu[0].synic.scontrol --at 119',
      /blame: position 119 is beyond the last event, 118/,
    ],
    ['state good.hvtrace --path cpu[', /state: --path "cpu\[" is no cell path; such as /],
    ['state good.hvtrace --path cpu[7].synic', /state: nothing is called "cpu\[7\]\.synic" at 118; /],
  ]),
]);

describe('a filter', () => {
  const filters: readonly (readonly [filter: string, says: RegExp])[] = [
    ['kindd == msr', /show: filter, column 1: .*kindd.*expected .*kind/],
    ['kind == mrs', /show: filter, column 9: .*expected .*msr/],
    ['kind ==', /show: filter, column 8: .*stops too early.*expected/],
    ['(kind == msr', /show: filter, column 13: .*expected/],
    ['kind = msr', /show: filter, column 6: .*expected ==/],
    ['changes(cpu[)', /show: filter, column \d+: .*expected/],
    ['under(x)', /show: filter, column 7: .*expected/],
    ['msr ~ "["', /show: filter, column \d+: /],
    ['t < 5parsecs', /show: filter, column \d+: .*expected/],
  ];
  for (const [filter, says] of filters)
    test(filter, () => refused({ words: ['show', 'good.hvtrace', filter], says }));
});

describe('a profile', () => {
  const profiles: readonly (readonly [profile: string, says: RegExp])[] = [
    ['synicOwnership=merge', /--profile: synicOwnership: expected before, v1, v2 or merged, found "merge"/],
    [
      'synicOwner=merged',
      /--profile: expected key=value with one of the keys .*synicOwnership.*, found "synicOwner=merged"/,
    ],
    ['cpus=none', /--profile: cpus: expected/],
    ['cpus=2,', /--profile: /],
    ['nosuchprofile', /--profile "nosuchprofile": no such file, and no name under samples\/profiles/],
    ['profile.json', /--profile: kernel: expected upstream-7\.2, .* found "minix"/],
    ['list.json', /--profile list\.json: expected an object such as /],
    ['broken.json', /--profile broken\.json: column \d+: /],
    ['folder', /--profile folder: cannot be read \(EISDIR\); name a JSON file/],
  ];
  for (const [profile, says] of profiles)
    test(profile, () =>
      refused({ words: ['run', 'good.ndjson', '-o', 'new.hvtrace', '--profile', profile], says }),
    );
});

table('a place to write', [
  ...mistakes([
    ['import good.ndjson -o good.hvtrace', /good\.hvtrace: exists already; .*--force/],
    ['run good.ndjson -o good.hvtrace', /good\.hvtrace: exists already; .*--force/],
    ['export good.hvtrace -o good.ndjson', /good\.ndjson.* exists.*--force/],
    ['pack good.hvtrace -o good.hvtrace.zst', /good\.hvtrace\.zst: exists already; .*--force/],
    ['unpack good.hvtrace.zst -o good.hvtrace', /good\.hvtrace: exists already; .*--force/],
    ['recover cut-40000.hvtrace -o good.hvtrace', /good\.hvtrace: exists already; .*--force/],
    [
      'import good.ndjson -o good.ndjson --force',
      /good\.ndjson is the file that is read; name another with -o/,
    ],
    ['export good.hvtrace -o ./good.hvtrace --force', /good\.hvtrace is the file that is read/],
    ['pack good.hvtrace -o good.hvtrace --force', /good\.hvtrace is the file that is read/],
    ['recover torn.hvtrace -o torn.hvtrace --force', /torn\.hvtrace is the file that is read/],
    ...['import good.ndjson', 'run good.ndjson', 'export good.hvtrace', 'pack good.hvtrace'].flatMap(
      (command): [string, RegExp][] => [
        [
          `${command} -o nowhere/new`,
          /nowhere\/new: its folder does not exist; create it or choose another with -o/,
        ],
        [`${command} -o folder`, /folder.* (is a folder|exists)/],
      ],
    ),
    ['unpack good.hvtrace.zst -o nowhere/new', /nowhere\/new: its folder does not exist/],
    ['recover cut-40000.hvtrace -o nowhere/new', /nowhere\/new: its folder does not exist/],
    ['import good.ndjson -o text.hvtrace/new', /text\.hvtrace\/new: its folder does not exist/],
  ]),
]);

// Permissions do not hold for root: then the command runs as nobody, who must be able to read the program.
const user = isRoot ? NOBODY : undefined;

describe('no permission', { skip: shutToNobody }, () => {
  before(() => {
    chmodSync(folder, 0o755);
    chmodSync(at('shut'), 0o555);
    writeFileSync(at('secret.hvtrace'), readFileSync(at('good.hvtrace')));
    writeFileSync(at('secret.ndjson'), `${HEADER}\n`);
    for (const name of ['secret.hvtrace', 'secret.ndjson']) chmodSync(at(name), 0);
  });
  for (const { words, says } of mistakes([
    [
      'import good.ndjson -o shut/new',
      /shut\/new: not permitted to write there; choose another folder with -o/,
    ],
    ['run good.ndjson -o shut/new', /shut\/new: not permitted to write there/],
    ['export good.hvtrace -o shut/new', /shut\/new: not permitted to write there/],
    ['pack good.hvtrace -o shut/new', /shut\/new: not permitted to write there/],
    [
      'replay secret.hvtrace',
      /secret\.hvtrace: (not permitted to read it|cannot be copied to .* \(EACCES\))/,
    ],
    ['recover secret.hvtrace -o shut/new', /secret\.hvtrace: not permitted to read it/],
    ['import secret.ndjson -o shut/new', /secret\.ndjson: may not be read/],
  ]))
    test(`hvrewind ${words.join(' ')}`, () =>
      refused({ words, says }, (given) => hvrewind(given, folder, user)));
});
