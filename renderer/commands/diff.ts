import type { Command } from './command.ts';

/** What can be done with two machines side by side. */
export const DIFF_COMMANDS: readonly Command[] = [
  diff('next-difference', 'Next difference', ['n'], (model) => model.comparing.go('next')),
  diff('previous-difference', 'Previous difference', ['Shift+N', 'p'], (model) =>
    model.comparing.go('previous'),
  ),
  diff('first-difference', 'First difference', ['Shift+F'], (model) => model.comparing.go('first')),
  diff('fold', 'Only differences, or all rows', ['o'], (model) => {
    const { folded } = model.view;
    folded.value = !folded.peek();
    return folded.peek() ? 'only differences are listed' : 'all rows are listed';
  }),
  diff('against', 'Compare with the other trace, or with the edits', ['a'], (model) => {
    const isTrace = model.comparing.against.peek()?.against === 'trace';
    model.view.against.value = isTrace ? 'edits' : 'trace';
    return isTrace ? 'beside the edits of what-if' : 'beside the other trace';
  }),
  {
    id: 'compare-with',
    group: 'Diff',
    title: 'Compare with another trace…',
    keys: ['Ctrl+D'],
    possible: ({ desk }) => desk !== undefined,
    async run(model) {
      await model.desk?.ask('compareDialog', {});
      return undefined;
    },
  },
];

function diff(id: string, title: string, keys: readonly string[], run: Command['run']): Command {
  return { id, group: 'Diff', title, keys, within: 'diff', run };
}
