import { parseArgs } from 'node:util';
import { nearest } from '../../engine/filter/near.ts';
import type { Arguments, CommandSpec, OptionSpec } from './command.ts';
import { Problem } from './problem.ts';

/** Options that every command takes. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', help: 'print JSON (one object, or one a line where it streams)' },
  { name: 'help', short: 'h', help: 'print what the command does and its options' },
];

/** Checks a command line against its row; throws a Problem that names the offending word. */
export function parseCommandLine(spec: CommandSpec, words: readonly string[]): Arguments {
  const options = [...spec.options, ...COMMON_OPTIONS];
  const config = Object.fromEntries(
    options.map((o) => [
      o.name,
      {
        type: o.value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: true as const,
        ...(o.short === undefined ? {} : { short: o.short }),
      },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...words],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, (string | true)[]>();
  const operands: string[] = [];
  const program: string[] = [];
  let afterDashes = false;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') afterDashes = true;
    else if (token.kind === 'positional') (afterDashes ? program : operands).push(token.value);
    else {
      const option = options.find((o) => o.name === token.name);
      if (option === undefined) throw unknownOption(spec, token.rawName, options);
      const values = given.get(option.name) ?? [];
      values.push(optionValue(spec, option, token.value));
      if (values.length > 1 && option.repeat !== true && option.value !== undefined) {
        throw new Problem(`${spec.name}: --${option.name} given twice`);
      }
      given.set(option.name, values);
    }
  }
  if (given.get('help') === undefined) checkOperands(spec, operands, program);
  return {
    operands,
    program,
    flag: (name) => given.has(name),
    value: (name) => given.get(name)?.at(-1)?.toString(),
    values: (name) => (given.get(name) ?? []).map(String),
  };
}

function optionValue(spec: CommandSpec, option: OptionSpec, value: string | undefined): string | true {
  if (option.value === undefined) {
    if (value === undefined) return true;
    throw new Problem(`${spec.name}: --${option.name} takes no value`);
  }
  if (value === undefined) throw new Problem(`${spec.name}: --${option.name} needs a value: ${option.value}`);
  return value;
}

function unknownOption(spec: CommandSpec, name: string, options: readonly OptionSpec[]): Problem {
  const [near] = nearest(
    name.replace(/^-+/, ''),
    options.map((o) => o.name),
  );
  const hint = near === undefined ? `hvrewind ${spec.name} --help lists them` : `did you mean --${near}?`;
  return new Problem(`${spec.name}: unknown option ${name}; ${hint}`);
}

function checkOperands(spec: CommandSpec, operands: readonly string[], program: readonly string[]): void {
  const usage = `usage: hvrewind ${spec.name} ${spec.operands}`.trimEnd();
  if (operands.length < spec.least) throw new Problem(`${spec.name}: too few operands; ${usage}`);
  if (operands.length > spec.most) {
    throw new Problem(`${spec.name}: unexpected ${JSON.stringify(operands[spec.most])}; ${usage}`);
  }
  if (program.length > 0 && !spec.operands.includes('-- ')) {
    throw new Problem(`${spec.name}: takes no program after --; ${usage}`);
  }
}
