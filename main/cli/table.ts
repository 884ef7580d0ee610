import type { CommandSpec, OptionSpec } from './command.ts';

const OUTPUT: OptionSpec = { name: 'output', short: 'o', value: 'FILE', help: 'write here' };
const FORCE: OptionSpec = { name: 'force', help: 'replace FILE when it exists' };
const PROFILE: OptionSpec = {
  name: 'profile',
  value: 'PROFILE',
  help: 'key=value,key=value; a JSON file; or a name under samples/profiles',
};

/** Of the commands that record. */
const FILTERS: readonly OptionSpec[] = [
  {
    name: 'filter',
    value: 'FILTER',
    help: 'write only what this matches (docs/filter.md, "While recording")',
  },
  { name: 'until', value: 'FILTER', help: 'end the recording with the first event that this matches' },
];

const RING: OptionSpec = {
  name: 'ring',
  value: 'SIZE',
  help: 'keep only the last 200000 events, 64MB or 30s (docs/flight-recorder.md)',
};

const SUMMARY_OPTIONS: readonly OptionSpec[] = [
  { name: 'quiet', help: 'no summary line' },
  { name: 'summary', value: 'FILE', help: 'write the summary as JSON' },
];

const SERVE_OPTIONS: readonly OptionSpec[] = [
  { name: 'port', value: 'PORT', help: 'port on 127.0.0.1 (default: any free one)' },
  { name: 'no-browser', help: 'print the address only' },
];

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'run',
    operands: 'SCENARIO',
    least: 1,
    most: 1,
    summary: 'play a scenario (event text) in the engine and record what happens',
    details:
      'Only the stimuli of the scenario are taken; everything below them is worked out and recorded with provenance `emulated`.',
    options: [OUTPUT, FORCE, PROFILE],
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'record',
    operands: '-- CMD…',
    least: 0,
    most: 0,
    summary: 'record what a program says to the mshv drivers of this machine',
    details:
      'The program is not changed and sees no difference but time (docs/record.md). Exits with its status, 128 + signal when it was killed. With --attach, Ctrl-C ends the recording and lets the program go on.',
    options: [
      OUTPUT,
      FORCE,
      PROFILE,
      { name: 'attach', value: 'PID', help: 'record a process that runs, instead of starting one' },
      { name: 'keep-alive', help: 'the program survives the recorder; every system call of it is slower' },
      {
        name: 'kernel',
        help: 'record what the kernel does, alone or with a program (docs/record-kernel.md); root',
      },
      { name: 'uprobe', help: 'record the program by probes on its C library: cheap, less depth; root' },
      {
        name: 'seconds',
        value: 'N',
        help: 'with --kernel, --uprobe or --attach: end after so long (default: at Ctrl-C)',
      },
      { name: 'msr', value: 'LIST', help: 'with --kernel: other MSRs too: 0x6e0,0x800-0x83f' },
      ...FILTERS,
      RING,
      ...SUMMARY_OPTIONS,
    ],
    load: () => import('./commands/record.ts'),
  },
  {
    name: 'emulate',
    operands: '-- CMD…',
    least: 0,
    most: 0,
    summary: 'run a program against an emulated /dev/mshv and record it',
    details:
      'The program need not be changed: its opens of /dev/mshv and what follows go to the engine (docs/emulate.md). Exits with its status, 128 + signal when it was killed.',
    options: [
      OUTPUT,
      FORCE,
      PROFILE,
      {
        name: 'capture-memory',
        help: 'record guest memory too, so that `replay --execute` can run the guests again (docs/re-execution.md); slower',
      },
      ...FILTERS,
      RING,
      ...SUMMARY_OPTIONS,
    ],
    load: () => import('./commands/emulate.ts'),
  },
  {
    name: 'import',
    operands: 'FILE…',
    least: 1,
    most: Number.POSITIVE_INFINITY,
    summary: 'make a trace from event text or from what strace, ftrace, trace-cmd, perf or a console wrote',
    details:
      'The form is recognised from the first lines. Several files are those of `strace -ff`. docs/import.md says how to make each form and what it cannot show.',
    options: [
      OUTPUT,
      FORCE,
      PROFILE,
      { name: 'from', value: 'FORM', help: 'strace, ftrace, trace-cmd, perf, dmesg or events' },
    ],
    load: () => import('./commands/import.ts'),
  },
  {
    name: 'export',
    operands: 'FILE|FOLDER…',
    least: 1,
    most: Number.POSITIVE_INFINITY,
    summary: 'print a trace in another form, or write many as tables',
    details:
      'As event text to standard output or -o FILE; or, of any number of traces, as events.parquet, findings.parquet and traces.parquet in the folder -o (docs/fleet.md).',
    options: [
      { name: 'format', value: 'FORMAT', help: 'events (default): event text, loss-free; parquet: tables' },
      { name: 'derived', help: 'derived events as well' },
      OUTPUT,
      FORCE,
    ],
    load: () => import('./commands/export.ts'),
  },
  {
    name: 'show',
    operands: 'FILE [FILTER]',
    least: 1,
    most: 2,
    summary: 'print events, one a line',
    details: 'The filter language is described in docs/filter.md.',
    options: [
      { name: 'derived', help: 'derived events as well' },
      { name: 'why', help: 'the rule behind each answer of the engine as well (docs/engine.md)' },
      { name: 'limit', value: 'N', help: 'stop after N events' },
    ],
    load: () => import('./commands/show.ts'),
  },
  {
    name: 'replay',
    operands: 'FILE',
    least: 1,
    most: 1,
    summary: 'replay a trace and compare each answer with the engine’s',
    options: [
      { name: 'to', value: 'SEQ', help: 'stop after this event' },
      { name: 'verify', help: 'replay twice, the second time from checkpoints, and compare hashes' },
      {
        name: 'execute',
        help: 'run the guests of a recording with memory again (docs/re-execution.md); exit 1 at the first byte that differs',
      },
    ],
    load: () => import('./commands/replay.ts'),
  },
  {
    name: 'state',
    operands: 'FILE',
    least: 1,
    most: 1,
    summary: 'print the machine state after a position',
    options: [
      {
        name: 'at',
        value: 'POSITION',
        help: '812, 812.3 or 812r; 0 is the initial state (default: the end)',
      },
      { name: 'path', value: 'PATH', help: 'only these cells: cpu[0].synic, partition[*].state' },
      { name: 'who', help: 'the last writer of each cell as well, and the rule that it went by' },
    ],
    load: () => import('./commands/state.ts'),
  },
  {
    name: 'check',
    operands: 'FILE|FOLDER…',
    least: 1,
    most: Number.POSITIVE_INFINITY,
    summary: 'judge traces by the rules and print findings',
    details:
      'Takes traces and event text; a folder stands for all of them below it. Several files are judged on all processors and end in a table; one that cannot be read does not stop the rest (docs/check.md).',
    options: [
      { name: 'jobs', value: 'N', help: 'judge so many files at a time (default: by processors and sizes)' },
      { name: 'format', value: 'FORMAT', help: 'text (default), json, sarif or junit' },
      { name: 'baseline', value: 'FILE', help: 'leave out the findings that FILE has' },
      { name: 'write-baseline', help: 'write all findings to the FILE of --baseline' },
      { name: 'expect', help: 'compare with the findings that the trace says it must have' },
      {
        name: 'min-severity',
        value: 'SEVERITY',
        help: 'error, warning (default) or info: what makes the exit code 1',
      },
    ],
    load: () => import('./commands/check.ts'),
  },
  {
    name: 'blame',
    operands: 'FILE CELL|ANSWER',
    least: 2,
    most: 2,
    summary: 'say which events led to a cell’s value or to an answer',
    details:
      'CELL is a path that `state` prints; ANSWER is an event and what it was told: 93.fault, 12.status, 5.ret (docs/blame.md).',
    options: [
      {
        name: 'at',
        value: 'POSITION',
        help: 'the cell’s value after this position (default: the end)',
      },
    ],
    load: () => import('./commands/blame.ts'),
  },
  {
    name: 'diff',
    operands: 'A B',
    least: 2,
    most: 2,
    summary: 'compare two traces by meaning: the first difference, and the state there',
    details:
      'Ids, descriptors, addresses and times may be others, and actors that do not touch the same state may come in another order (docs/diff.md). Exits with 1 where the traces differ.',
    options: [],
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'minimize',
    operands: 'FILE',
    least: 1,
    most: 1,
    summary: 'search the smallest trace that still shows a finding, a status or a divergence',
    details:
      'The output is event text or a trace by the ending of its name. Ctrl-C keeps the smallest so far (docs/minimize.md).',
    options: [
      { name: 'finding', value: 'ID', help: 'keep this finding (check --json has its id)' },
      {
        name: 'status',
        value: 'POSITION=STATUS',
        help: 'keep this answer of the engine: 12=EINVAL, 12.3=HV_STATUS_…',
      },
      { name: 'divergence', value: 'POSITION', help: 'keep the divergence at this position' },
      { name: 'resume', help: 'go on with a search that was interrupted' },
      OUTPUT,
      FORCE,
    ],
    load: () => import('./commands/minimize.ts'),
  },
  {
    name: 'whatif',
    operands: 'FILE',
    least: 1,
    most: 1,
    summary: 'replay a trace with changes and say what becomes of findings, answers and state',
    details:
      "EDIT is drop P; move P before|after P; set P.FIELD=VALUE; insert before|after P '<event line>'; or profile KEY=VALUE. P is an event of the trace as it is (docs/what-if.md). The file is not changed.",
    options: [
      { name: 'edit', value: 'EDIT', repeat: true, help: 'change this; may be given several times' },
      {
        name: 'suggest',
        value: 'FINDING',
        help: 'search for the smallest edits that remove this finding (its id or rule) and add none',
      },
    ],
    load: () => import('./commands/whatif.ts'),
  },
  {
    name: 'pack',
    operands: 'FILE',
    least: 1,
    most: 1,
    summary: 'make a small .hvtrace.zst to share',
    options: [OUTPUT, FORCE],
    load: () => import('./commands/pack.ts'),
  },
  {
    name: 'unpack',
    operands: 'FILE',
    least: 1,
    most: 1,
    summary: 'make a .hvtrace from a .hvtrace.zst',
    options: [OUTPUT, FORCE],
    load: () => import('./commands/unpack.ts'),
  },
  {
    name: 'recover',
    operands: 'FILE',
    least: 1,
    most: 1,
    summary: 'save what a torn or truncated trace still holds',
    options: [OUTPUT, FORCE],
    load: () => import('./commands/recover.ts'),
  },
  {
    name: 'explain',
    operands: 'VALUE',
    least: 1,
    most: 1,
    summary: 'decode a status, ioctl number, MSR, hypercall, control or result word',
    options: [],
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'schema',
    operands: '',
    least: 0,
    most: 0,
    summary: 'print the JSON Schema of the event text and of every --json output',
    options: [],
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'open',
    operands: '[FILE [OTHER]]',
    least: 0,
    most: 2,
    summary: 'show a trace in a window of its own, or two side by side',
    details: 'Without Electron it is shown in a browser, as `serve` does. Nothing is fetched.',
    options: SERVE_OPTIONS,
    load: () => import('./commands/open.ts'),
  },
  {
    name: 'serve',
    operands: 'FILE [OTHER]',
    least: 1,
    most: 2,
    summary: 'show a trace in a browser on this machine, or two side by side',
    options: SERVE_OPTIONS,
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'doctor',
    operands: '',
    least: 0,
    most: 0,
    summary: 'say what this machine can record, by which privilege, and what it lacks',
    details: 'It only looks: nothing is mounted, probed or changed (docs/doctor.md).',
    options: [
      {
        name: 'bundle',
        value: 'FILE',
        help: 'write what helps others to support this machine; nothing private',
      },
      FORCE,
    ],
    load: () => import('./commands/doctor.ts'),
  },
];
