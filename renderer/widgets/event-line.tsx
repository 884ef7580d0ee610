import type { EventRow } from '../../engine/app/api.ts';
import { useModel } from '../model/model.ts';
import { Glyph } from './glyph.tsx';
import { Name } from './name.tsx';
import { Owner } from './owner.tsx';

/** An event in one short line that puts the cursor on it: in a proof, below its parent. */
export function EventLine({ row, sign }: { readonly row: EventRow; readonly sign?: string }) {
  const model = useModel();
  return (
    <button
      type="button"
      class="event-line"
      data-at={row.at}
      data-copy={row.at}
      aria-current={model.view.at.value === row.at}
      onClick={() => model.jump(row.at)}
    >
      {sign === undefined ? undefined : <span class="line-sign">{sign}</span>}
      <span class="value line-at">{row.at}</span>
      <Glyph kind={row.kind} provenance={row.provenance} />
      {row.component === undefined ? <span /> : <Owner component={row.component} />}
      <span class="dim line-who">{row.handle ?? row.who}</span>
      <span class="line-op">
        <Name text={row.op} />
      </span>
      <span class="value line-result" data-failed={row.failed}>
        {row.failed ? '✕ ' : ''}
        {row.result === undefined ? undefined : <Name text={row.result} />}
      </span>
    </button>
  );
}
