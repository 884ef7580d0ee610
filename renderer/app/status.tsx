import { useModel } from '../model/model.ts';
import { eventAt } from '../model/place.ts';
import { CopyButton } from '../widgets/copy-button.tsx';
import { replayText } from '../widgets/replay-text.ts';
import { secondsText } from '../widgets/time.ts';
import { Working } from '../widgets/working.tsx';

/** What the replay says of the trace, where the cursor stands, and what goes on. */
export function Status() {
  return (
    <footer class="status">
      <Replay />
      <Cursor />
      <Notice />
      <Working />
      <Progress />
    </footer>
  );
}

function Replay() {
  const model = useModel();
  const replay = model.replay.value.value;
  const progress = model.progress.value;
  const problem = progress?.state === 'failed' ? progress.problem : model.replay.problem.value;
  if (problem !== undefined) return <span role="alert">✕ no replay: {problem}</span>;
  if (replay === undefined) return <span class="dim">{replayText(progress)}</span>;
  const { divergences, checked, bound, derived, hash } = replay;
  const reasons = Object.entries(bound);
  const boundCount = reasons.reduce((sum, [, count]) => sum + count, 0);
  return (
    <span class="replay" title={reasons.map(([reason, count]) => `bound, ${reason}: ${count}`).join('\n')}>
      <b class={divergences.length === 0 ? 'verdict-ok' : 'verdict-wrong'}>
        {divergences.length === 0
          ? '✓ no divergence'
          : `≠ ${divergences.length} ${divergences.length === 1 ? 'divergence' : 'divergences'}`}
      </b>
      <span>
        <b class="value">{checked}</b> checked
      </span>
      <span>
        <b class="value">{boundCount}</b> bound
      </span>
      <span>
        <b class="value">{derived}</b> derived
      </span>
      <span>
        hash <b class="value">{hash}</b> <CopyButton text={hash} what="the hash" />
      </span>
    </span>
  );
}

function Cursor() {
  const model = useModel();
  const at = model.view.at.value;
  const row = model.event.value.value?.row;
  const events = model.info.value.value?.events;
  if (at === '') return undefined;
  return (
    <span class="cursor-place" role="status" aria-label="cursor">
      at <b class="value">{at}</b>
      {events === undefined ? undefined : <span class="dim"> of {events}</span>}
      {row?.at === eventAt(at) ? (
        <>
          {' '}
          <span class="value">{secondsText(row.tNs)} s</span>
        </>
      ) : undefined}
    </span>
  );
}

function Notice() {
  const { notice } = useModel();
  return (
    <span class="notice" role="status" aria-label="notice">
      {notice.value}
    </span>
  );
}

/** How far the replay is. */
function Progress() {
  const progress = useModel().progress.value;
  if (progress?.state !== 'replaying') return undefined;
  const { done, total } = progress;
  return (
    <span class="progress">
      <progress value={done} max={Math.max(1, total)} aria-label="replay" />
    </span>
  );
}
