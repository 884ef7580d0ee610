import { EVENT_KINDS } from '../../engine/trace/event.ts';
import { type CommandGroup, possibleCommands } from '../commands/command.ts';
import { COMMANDS } from '../commands/table.ts';
import { useModel } from '../model/model.ts';
import { GLYPHS } from '../theme/glyphs.ts';
import { Glyph } from '../widgets/glyph.tsx';
import { Owner } from '../widgets/owner.tsx';
import { Dialog } from './dialog.tsx';
import { Keys } from './key-caps.tsx';

const GROUPS: readonly CommandGroup[] = [
  'Move',
  'Findings',
  'What if',
  'Diff',
  'List',
  'Timeline',
  'Views',
  'Copy',
  'App',
];
const COMPONENTS = ['vmbus', 'mshv', 'timer', 'arch', 'guest', 'vmm', 'hypervisor', 'unknown'] as const;
const SIGNS: readonly (readonly [string, string])[] = [
  ['▲', 'culprit of the finding that is shown'],
  ['●', 'part of its proof'],
  ['○', 'part of another finding'],
  ['≠', 'the answer differs from the engine’s'],
  ['✕', 'the call failed'],
  ['Δ', 'changed by the event at the cursor'],
  ['└', 'caused by the event above'],
  ['◇', 'a hollow sign: the engine derived the event'],
  ['= ≠', 'in Diff: the same in both, and with other fields'],
  ['− +', 'in Diff: only in A, only in B'],
  ['⇅', 'in Diff: the same event, in another order'],
  ['⌇', 'in the timeline: events were lost here'],
  ['N', 'in the timeline: a note'],
  ['2 … 9 +', 'in the timeline: so many events in one sign'],
];

const POINTER: readonly (readonly [string, string])[] = [
  ['click', 'to the event, or shows the finding'],
  ['drag', 'moves the window'],
  ['wheel', 'zooms; scrolls where there are more lanes than fit'],
  ['Ctrl + wheel', 'zooms'],
];

/** Every key, and what the signs mean. */
export function Sheet() {
  const model = useModel();
  const commands = possibleCommands(COMMANDS, model);
  return (
    <Dialog label="Keys and signs" class="sheet">
      <header>
        <h2>Keys and signs</h2>
        <button
          type="button"
          onClick={() => {
            model.dialog.value = 'none';
          }}
        >
          close <kbd>Esc</kbd>
        </button>
      </header>
      <div class="sheet-groups" tabIndex={0} role="region" aria-label="all keys and signs">
        <div class="sheet-columns">
          {GROUPS.map((group) => (
            <section key={group} aria-label={`keys: ${group}`}>
              <h3>{group}</h3>
              <dl>
                {commands
                  .filter((command) => command.group === group)
                  .map((command) => (
                    <div key={command.id}>
                      <dt>
                        <Keys names={command.keys} />
                      </dt>
                      <dd>{command.title}</dd>
                    </div>
                  ))}
              </dl>
            </section>
          ))}
          <section aria-label="kinds of event">
            <h3>Kinds of event</h3>
            <dl>
              {EVENT_KINDS.map((kind) => (
                <div key={kind}>
                  <dt>
                    <Glyph kind={kind} />
                  </dt>
                  <dd>
                    {kind} <span class="dim">{GLYPHS[kind].shapeName}</span>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
          <section aria-label="components">
            <h3>Components</h3>
            <ul class="sheet-owners">
              {COMPONENTS.map((component) => (
                <li key={component}>
                  <Owner component={component} />
                </li>
              ))}
            </ul>
          </section>
          <section aria-label="pointer">
            <h3>Pointer on the timeline</h3>
            <dl>
              {POINTER.map(([what, does]) => (
                <div key={what}>
                  <dt>{what}</dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
          <section aria-label="signs">
            <h3>Signs</h3>
            <dl>
              {SIGNS.map(([sign, meaning]) => (
                <div key={sign}>
                  <dt>{sign}</dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        </div>
      </div>
    </Dialog>
  );
}
