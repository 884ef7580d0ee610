import { useEffect } from 'preact/hooks';
import type { RecentFile } from '../../engine/app/shell.ts';
import { useModel } from '../model/model.ts';
import type { Desk } from '../transport/bridge.ts';

interface StartProps {
  readonly desk: Desk;
  readonly recent: readonly RecentFile[];
}

/** A desktop window without a trace: what was open before, and how to open another. */
export function Start({ desk, recent }: StartProps) {
  const model = useModel();
  useEffect(
    () =>
      desk.onLine((line) => {
        model.notice.value = line;
      }),
    [],
  );
  return (
    <main class="start">
      <h1>hvrewind</h1>
      <p class="dim">Open a trace (.hvtrace, .hvtrace.zst), or drop one here.</p>
      <button type="button" class="start-open" onClick={() => void desk.ask('openDialog', {})}>
        Open a trace… <kbd>Ctrl</kbd> <kbd>O</kbd>
      </button>
      <p role="status">{model.notice.value}</p>
      {recent.length === 0 ? undefined : (
        <section aria-label="recent traces">
          <h2>Recent</h2>
          <ul>
            {recent.map(({ name, folder }, index) => (
              <li key={`${folder}/${name}`}>
                <button type="button" onClick={() => void desk.ask('openRecent', { index })}>
                  <span class="value">{name}</span> <span class="dim">{folder}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </main>
  );
}
