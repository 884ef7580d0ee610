import { useEffect } from 'preact/hooks';
import type { TraceInfo } from '../../engine/app/api.ts';
import { runCommand } from '../commands/command.ts';
import { COMMANDS } from '../commands/table.ts';
import { useModel } from '../model/model.ts';

/** Profile parameters that say most about a trace; the others are in their title. */
const SHOWN_PARAMETERS = ['role', 'kernel', 'synicOwnership', 'synicPolicy'] as const;

/** The trace: its name, and the profile under which it is replayed. */
export function Header() {
  const model = useModel();
  const info = model.info.value.value;
  const problem = model.info.problem.value;
  useEffect(() => {
    document.title = info === undefined ? 'hvrewind' : `${info.name} – hvrewind`;
  }, [info]);
  const profile = Object.entries(info?.profile ?? {});
  return (
    <header class="top">
      <h1>hvrewind</h1>
      <span class="trace-name value">{problem ?? info?.name ?? 'opening…'}</span>
      {info === undefined ? undefined : (
        <span class="profile dim" title={profile.map(([key, value]) => `${key} = ${value}`).join('\n')}>
          {SHOWN_PARAMETERS.map((key) => (
            <span key={key}>
              {key} <b class="value">{info.profile[key] ?? '?'}</b>
            </span>
          ))}
          <span>
            CPUs <b class="value">{info.cpus}</b>
          </span>
        </span>
      )}
      {info === undefined || info.unanswered.length === 0 ? undefined : (
        <span
          class="unanswered dim"
          title={info.unanswered.map(({ question, why }) => `${question}: ${why}`).join('\n')}
        >
          does not tell {info.unanswered[0]?.question}
          {info.unanswered.length > 1 ? ` and ${info.unanswered.length - 1} more` : ''}
        </span>
      )}
      {info === undefined || !holdsMemory(info) ? undefined : (
        <span
          class="holds-memory"
          title="With all that is private in it: look at it before you send it. kind == page shows it."
        >
          holds guest memory
        </span>
      )}
      <nav aria-label="app">
        <CommandButton id="go-to" label="Go to" />
        <CommandButton id="palette" label="Commands" />
        <CommandButton id="sheet" label="Keys" />
        <CommandButton id="theme" label={`Theme: ${model.view.theme.value}`} />
      </nav>
    </header>
  );
}

/** Only a recording whose guests can be executed again has the contents of their memory (docs/re-execution.md), until they are left out. */
function holdsMemory({ profile, kinds }: TraceInfo): boolean {
  return profile.instructionNs !== '0' && kinds.some(({ kind }) => kind === 'page');
}

function CommandButton({ id, label }: { readonly id: string; readonly label: string }) {
  const model = useModel();
  const command = COMMANDS.find((candidate) => candidate.id === id);
  if (command === undefined) return undefined;
  return (
    <button type="button" title={command.title} onClick={() => void runCommand(command, model)}>
      {label} <kbd>{command.keys[0]}</kbd>
    </button>
  );
}
