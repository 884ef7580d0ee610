import type { Rule } from './rule.ts';

/** docs/rules.md: what each rule says, in the words of the rule itself. */
export function rulesMarkdown(rules: readonly Rule[]): string {
  const rows = rules.map(
    ({ id, title, severity }) => `| [${id}](#${id.toLowerCase()}) | ${title} | ${severity} |`,
  );
  return [
    '# Rules',
    '',
    'What `hvrewind check` looks for. Each rule states a protocol property; a finding names who broke it, never who',
    'suffered, and what followed from it is part of its proof. Written by `npm run docs` from engine/rules; to add',
    'a rule see [how-to/add-a-rule.md](how-to/add-a-rule.md).',
    '',
    '| rule | says | at worst |',
    '|---|---|---|',
    ...rows,
    ...rules.flatMap(section),
    '',
  ].join('\n');
}

function section({ id, title, meaning, silent, source, needs }: Rule): readonly string[] {
  return [
    '',
    `## ${id}`,
    '',
    `**${title}.**`,
    '',
    meaning,
    '',
    'Legal, and silent:',
    '',
    ...silent.map((line) => `- ${line}`),
    '',
    needs.length === 0
      ? 'Judges each event by itself; needs no other.'
      : `Needs ${needs.map((kind) => `\`${kind}\``).join(', ')} events, recorded or derived.`,
    '',
    `Source: ${source}.`,
  ];
}
