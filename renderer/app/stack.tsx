import { useRef } from 'preact/hooks';
import { type Model, useModel } from '../model/model.ts';
import { focusPanel } from './focus.ts';
import { PANELS, type PanelId } from './panel-names.ts';
import { PANEL_PARTS } from './panels.tsx';

/** One place of the window: the view that lies on top, and tabs for those below it. */
export function Stack({ panels }: { readonly panels: readonly PanelId[] }) {
  const model = useModel();
  const last = useRef<PanelId | undefined>(undefined);
  const wanted = panels.find((id) => id === model.view.panel.value);
  const top = wanted ?? last.current ?? panels[0];
  last.current = top;
  if (top === undefined) return undefined;
  const { Body, Bar } = PANEL_PARTS[top];
  return (
    <section class="panel" id={`panel-${top}`} aria-label={titleOf(top)} tabIndex={-1}>
      <div class="panel-bar">
        {panels.length === 1 ? <h2>{titleOf(top)}</h2> : <Tabs panels={panels} top={top} />}
        <div class="panel-tools">{Bar === undefined ? undefined : <Bar />}</div>
        <button
          type="button"
          class="maximise"
          aria-pressed={model.maximised.value === top}
          aria-label={`fill the window with ${titleOf(top)}`}
          title="fill the window, or put it back ( z )"
          onClick={() => {
            model.maximised.value = model.maximised.peek() === top ? '' : top;
          }}
        >
          {model.maximised.value === top ? '❐' : '□'}
        </button>
      </div>
      <div class="panel-body">
        <Body />
      </div>
    </section>
  );
}

function Tabs({ panels, top }: { readonly panels: readonly PanelId[]; readonly top: PanelId }) {
  const model = useModel();
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = panels[(panels.indexOf(top) + by + panels.length) % panels.length];
    if (by === 0 || next === undefined || event.shiftKey || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    model.view.panel.value = next;
    requestAnimationFrame(() => document.getElementById(`tab-${next}`)?.focus());
  };
  return (
    <div class="tabs" role="tablist" aria-label="views" onKeyDown={onKeyDown}>
      {panels.map((id) => (
        <button
          key={id}
          id={`tab-${id}`}
          type="button"
          role="tab"
          aria-selected={id === top}
          tabIndex={id === top ? 0 : -1}
          title={`${titleOf(id)} ( ${keyOf(id)} )`}
          onClick={() => focusPanel(model, id)}
        >
          {titleOf(id)}
          <TabNote model={model} id={id} />
        </button>
      ))}
    </div>
  );
}

/** How much there is below a tab that is worth to know before it is opened. */
function TabNote({ model, id }: { readonly model: Model; readonly id: PanelId }) {
  if (id !== 'findings') return undefined;
  const findings = model.findings.value.value?.findings.length ?? 0;
  const divergences = model.replay.value.value?.divergences.length ?? 0;
  const count = findings + divergences;
  return count === 0 ? undefined : <span class="tab-note">{count}</span>;
}

function titleOf(id: PanelId): string {
  return PANELS.find((panel) => panel.id === id)?.title ?? id;
}

function keyOf(id: PanelId): string {
  return PANELS.find((panel) => panel.id === id)?.key ?? '';
}
