import { COMMON_OPTIONS } from './arguments.ts';
import type { CommandSpec, OptionSpec } from './command.ts';
import { COMMANDS } from './table.ts';

/** The page of `hvrewind --help`. */
export function overview(): string {
  const width = Math.max(...COMMANDS.map((c) => c.name.length));
  const rows = COMMANDS.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}`);
  return [
    'usage: hvrewind COMMAND [OPTION…] …',
    '',
    'Records what a VMM and the kernel say to the Microsoft hypervisor, and replays it.',
    '',
    ...rows,
    '',
    'hvrewind COMMAND --help says more. Exit: 0 fine, 1 found something, 2 usage or bad input, 3 something is missing.',
    '',
  ].join('\n');
}

/** The page of `hvrewind COMMAND --help`. */
export function commandPage(spec: CommandSpec): string {
  const options = [...spec.options, ...COMMON_OPTIONS];
  const names = options.map(optionName);
  const width = Math.max(...names.map((n) => n.length));
  const rows = options.map((o, i) => `  ${(names[i] ?? '').padEnd(width)}  ${o.help}`);
  const details = spec.details === undefined ? [] : ['', spec.details];
  const usage = `usage: hvrewind ${spec.name} [OPTION…] ${spec.operands}`.trimEnd();
  return [usage, '', `${spec.summary}.`, ...details, '', ...rows, ''].join('\n');
}

function optionName(option: OptionSpec): string {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  return `${short}--${option.name}${option.value === undefined ? '' : ` ${option.value}`}`;
}
